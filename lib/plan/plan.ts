// The plan: steps in order, and where every tensor lives. Plain data for program/encode.ts and for `inspect`.

import type { Graph } from '../graph/graph.js'
import type { Step } from '../ops/contract.js'
import type { Dtype } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'
import { packArena } from './arena.js'
import { shareStorage } from './lifetime.js'
import { lower, type OpsByName } from './lower.js'

export interface PlannedTensor {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: Shape
  readonly bytes: number
  readonly place:
    | { readonly where: 'arena'; readonly offset: number }
    | { readonly where: 'constant'; readonly data: Uint8Array }
  /** First and last step that touches the tensor; -1 for model inputs, `steps.length` for outputs. */
  readonly life: readonly [number, number]
}

export interface PlannedStep {
  readonly step: Step
  /** `CONV_2D #12` */
  readonly origin: string
  /** Name of the operator's definition (`conv2d`). */
  readonly op: string
  /** Indices of tensors; -1 for an absent operand. */
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
}

export interface Plan {
  readonly tensors: readonly PlannedTensor[]
  readonly steps: readonly PlannedStep[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly arenaBytes: number
}

/**
 * Plans a graph: its nodes lowered into steps in the file's order, and a place for every tensor.
 *
 * @param ops Operators by their name in graphs (`conv2d`).
 * @throws {LowbitError} `OPERATOR_UNSUPPORTED`, `DTYPE_UNSUPPORTED`, `FILE_INVALID` for what an operator does not run.
 */
export function plan(graph: Graph, ops: OpsByName): Plan {
  const lowering = lower(graph, ops)
  const { storages, storageOf, constantOf, touched } = shareStorage(lowering)
  const arena = packArena(storages)

  // Views that only lead to other views are touched by no step, and fall out here.
  const number = new Map<number, number>()
  const tensors: PlannedTensor[] = []
  for (const [index, { operand, bytes }] of lowering.tensors.entries()) {
    const life = touched[index] as readonly [number, number]
    if (life[0] > life[1]) continue
    const data = constantOf[index]
    const offset = arena.offsets[storageOf[index] as number] ?? 0
    number.set(index, tensors.length)
    tensors.push({
      name: operand.name,
      dtype: operand.dtype,
      shape: operand.shape,
      bytes,
      place: data === undefined ? { where: 'arena', offset } : { where: 'constant', data },
      life,
    })
  }
  const renumber = (indices: readonly number[]) => indices.map((index) => number.get(index) ?? -1)
  return {
    tensors,
    steps: lowering.steps.map((step) => ({
      ...step,
      inputs: renumber(step.inputs),
      outputs: renumber(step.outputs),
    })),
    inputs: renumber(lowering.inputs),
    outputs: renumber(lowering.outputs),
    arenaBytes: arena.bytes,
  }
}
