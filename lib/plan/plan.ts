// The plan: steps in order, and where every tensor lives. Plain data for program/encode.ts and for `inspect`.

import type { Graph } from '../graph/graph.js'
import type { Step } from '../ops/contract.js'
import type { Dtype } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'
import { packArena } from './arena.js'
import { shareStorage } from './lifetime.js'
import { type LoweredStep, type Lowering, lower, type OpsByName } from './lower.js'

export interface PlannedTensor {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: Shape
  readonly bytes: number
  readonly place:
    | { readonly where: 'arena'; readonly offset: number }
    | { readonly where: 'constant'; readonly data: Uint8Array }
    | { readonly where: 'state'; readonly variable: number }
    /** The caller's array for a port, inputs first: nothing is copied. */
    | { readonly where: 'lent'; readonly port: number }
  /** First and last moment that touches the tensor; -1 for model inputs, `moments` for outputs. */
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

/** Memory that is kept from run to run. */
export interface PlannedVariable {
  readonly key: string
  /** The byte that it is full of before the first run. */
  readonly fill: number
  readonly bytes: number
}

export interface Plan {
  readonly tensors: readonly PlannedTensor[]
  /** First the main steps in order, then those that other steps run, block after block. */
  readonly steps: readonly PlannedStep[]
  readonly mainSteps: number
  /** Steps in order, the blocks of each right behind it and a moment more behind them: the clock of `life`. */
  readonly moments: number
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly arenaBytes: number
  readonly variables: readonly PlannedVariable[]
}

/**
 * Plans a graph: its nodes lowered into steps in the file's order, and a place for every tensor.
 *
 * @param ops Operators by their name in graphs (`conv2d`).
 * @throws {LowbitError} `OPERATOR_UNSUPPORTED`, `DTYPE_UNSUPPORTED`, `FILE_INVALID` for what an operator does not run.
 */
export function plan(graph: Graph, ops: OpsByName): Plan {
  const lowering = lower(graph, ops)
  const { storages, storageOf, rootOf, touched, moments } = shareStorage(lowering)
  const arena = packArena(storages)
  const variables = variablesOf(lowering)
  const numbers = [...variables.keys()]

  // Views that only lead to other views are touched by no step, and fall out here.
  const number = new Map<number, number>()
  const tensors: PlannedTensor[] = []
  for (const [index, { operand, bytes }] of lowering.tensors.entries()) {
    const life = touched[index] as readonly [number, number]
    if (life[0] > life[1]) continue
    const root = rootOf[index] as number
    const data = lowering.tensors[root]?.operand.data
    const key = lowering.tensors[root]?.operand.state?.key
    const place: PlannedTensor['place'] =
      data !== undefined
        ? { where: 'constant', data }
        : key !== undefined
          ? { where: 'state', variable: numbers.indexOf(key) }
          : { where: 'arena', offset: arena.offsets[storageOf[index] as number] ?? 0 }
    number.set(index, tensors.length)
    tensors.push({
      name: operand.name,
      dtype: operand.dtype,
      shape: operand.shape,
      bytes,
      place,
      life,
    })
  }
  const renumber = (indices: readonly number[]) => indices.map((index) => number.get(index) ?? -1)
  const steps = inRows(lowering.steps)
  return {
    tensors,
    steps: steps.map(({ step, origin, op, inputs, outputs }) => ({
      step,
      origin,
      op,
      inputs: renumber(inputs),
      outputs: renumber(outputs),
    })),
    mainSteps: lowering.steps.length,
    moments,
    inputs: renumber(lowering.inputs),
    outputs: renumber(lowering.outputs),
    arenaBytes: arena.bytes,
    variables: [...variables.values()],
  }
}

/** Steps in the order of the program: blocks stand in the order of the steps that run them. */
function inRows(main: readonly LoweredStep[]): readonly LoweredStep[] {
  const rows = [...main]
  for (const { blocks = [] } of rows) for (const block of blocks) rows.push(...block)
  return rows
}

function variablesOf({ tensors }: Lowering): ReadonlyMap<string, PlannedVariable> {
  const variables = new Map<string, PlannedVariable>()
  for (const { operand, bytes } of tensors) {
    if (operand.state === undefined) continue
    const { key, fill } = operand.state
    // Never nothing, so that a program with state is known by having variables.
    variables.set(key, { key, fill, bytes: Math.max(bytes, 1) })
  }
  return variables
}
