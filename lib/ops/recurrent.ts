// What recurrent operators share: how they walk through sequences, and two directions side by side.

import type { Shape } from '../tensor/shape.js'
import { extentOf } from './checks.js'
import type { Inferred, NodeContext, Operand, Step, StepAttribute } from './contract.js'

type AnyNode = NodeContext<unknown>

/** How a step walks through its input: see native/program/steps/recurrent.h. */
export interface Sequence {
  /** [time, batch, …] instead of [batch, time, …]. */
  readonly timeMajor: boolean
  /** From the last moment to the first. */
  readonly reversed: boolean
}

export function sequenceAttributes({ timeMajor, reversed }: Sequence): Record<string, StepAttribute> {
  return { timeMajor: timeMajor ? 1 : 0, reversed: reversed ? 1 : 0 }
}

export function expectVariable(node: AnyNode, { name, state }: Operand): void {
  if (state !== undefined) return
  throw node.fail('FILE_INVALID', `tensor "${name}" must be a variable`, { tensor: name })
}

export function expectActivation(node: AnyNode, activation: number): void {
  if (activation <= 4) return
  throw node.fail('OPERATOR_UNSUPPORTED', `activation ${activation} is not supported`, { actual: activation })
}

/** The outputs of two directions: one tensor, side by side along the last dimension, or two. */
export function inferDirections(
  node: AnyNode,
  forward: Shape,
  backward: Shape,
  merged: boolean,
): readonly Inferred[] {
  const { dtype } = node.input(0)
  if (!merged) return [forward, backward].map((shape) => ({ shape, dtype }))
  return [{ shape: [...forward.slice(0, -1), (forward.at(-1) ?? 0) + (backward.at(-1) ?? 0)], dtype }]
}

/** The steps of two directions, `step` called for each with its output. */
export function directions(
  node: AnyNode,
  forward: Shape,
  backward: Shape,
  merged: boolean,
  step: (output: Operand, isBackward: boolean) => Step,
): readonly Step[] {
  if (!merged) return [step(node.output(0), false), step(node.output(1), true)]
  const output = node.output(0)
  const part = (name: string, shape: Shape): Operand => ({
    name: `${output.name}/${name}`,
    dtype: output.dtype,
    shape,
  })
  const parts = [part('forward', forward), part('backward', backward)] as const
  const outer = extentOf(output.shape, 0, output.shape.length - 1)
  return [
    step(parts[0], false),
    step(parts[1], true),
    { kind: 'concat', inputs: parts, outputs: [output], attributes: { outer } },
  ]
}

/**
 * The input of the backward direction: the auxiliary one where there is one. Weights for it ask for both inputs in both
 * directions, which is not supported.
 */
export function backwardInput(node: AnyNode, auxiliary: number, weights: readonly number[]): Operand {
  if (weights.some((i) => node.inputs[i])) {
    throw node.fail('OPERATOR_UNSUPPORTED', 'an auxiliary input with weights of its own is not supported')
  }
  return node.inputs[auxiliary] ?? node.input(0)
}
