// The plan: steps in order, and where every tensor lives. Plain data for program/encode.ts and for `inspect`.

import type { Graph } from '../graph/graph.js'
import type { Step } from '../ops/contract.js'
import type { Dtype } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'
import { ARENA_ALIGNMENT, packArena } from './arena.js'
import { shareStorage } from './lifetime.js'
import { type Lowering, lower, type OpsByName } from './lower.js'

export interface PlannedTensor {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: Shape
  readonly bytes: number
  readonly place:
    | { readonly where: 'arena'; readonly offset: number }
    | { readonly where: 'constant'; readonly data: Uint8Array }
    | { readonly where: 'state'; readonly offset: number }
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
  /** Memory that is kept from run to run, once a model. */
  readonly stateBytes: number
  /** So many of the first steps initialise the state. */
  readonly onceSteps: number
}

/**
 * Plans a graph: its nodes lowered into steps in the file's order, and a place for every tensor.
 *
 * @param ops Operators by their name in graphs (`conv2d`).
 * @throws {LowbitError} `OPERATOR_UNSUPPORTED`, `DTYPE_UNSUPPORTED`, `FILE_INVALID` for what an operator does not run.
 */
export function plan(graph: Graph, ops: OpsByName): Plan {
  const lowering = lower(graph, ops)
  const { storages, storageOf, rootOf, touched } = shareStorage(lowering)
  const arena = packArena(storages)
  const state = packState(lowering)

  // Views that only lead to other views are touched by no step, and fall out here.
  const number = new Map<number, number>()
  const tensors: PlannedTensor[] = []
  for (const [index, { operand, bytes }] of lowering.tensors.entries()) {
    const life = touched[index] as readonly [number, number]
    if (life[0] > life[1]) continue
    const root = rootOf[index] as number
    const data = lowering.tensors[root]?.operand.data
    const kept = state.offsets.get(root)
    const offset = kept ?? arena.offsets[storageOf[index] as number] ?? 0
    const where = kept === undefined ? 'arena' : 'state'
    number.set(index, tensors.length)
    tensors.push({
      name: operand.name,
      dtype: operand.dtype,
      shape: operand.shape,
      bytes,
      place: data === undefined ? { where, offset } : { where: 'constant', data },
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
    stateBytes: state.bytes,
    onceSteps: lowering.steps.filter(({ step }) => step.once).length,
  }
}

/** State tensors one after the other: all of them live for ever. */
function packState({ tensors }: Lowering): { offsets: ReadonlyMap<number, number>; bytes: number } {
  const offsets = new Map<number, number>()
  let end = 0
  for (const [index, { operand, bytes }] of tensors.entries()) {
    if (operand.state === undefined) continue
    offsets.set(index, end)
    // Never nothing, so that a program with state is known by the size of its state.
    end = Math.ceil((end + Math.max(bytes, 1)) / ARENA_ALIGNMENT) * ARENA_ALIGNMENT
  }
  return { offsets, bytes: end }
}
