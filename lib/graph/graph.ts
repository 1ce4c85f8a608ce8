// The form that passes rewrite: values and the nodes that compute them, readonly; a pass returns a new graph.

import type { Quantization } from '../model/model.js'
import type { Dtype } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'

/** A tensor of the graph, known by its index in `Graph.values`. */
export interface Value {
  /** As the file names it; `#index` where it has no name. */
  readonly name: string
  readonly shape: Shape
  readonly dtype: Dtype
  readonly quantization?: Quantization
  /** Bytes of a constant (little-endian, row-major, any alignment); undefined for computed values. */
  readonly data?: Uint8Array
  /**
   * Set for memory that keeps its bytes from run to run, all over `fill` before the first one. No node computes it. Values
   * of one key are the same memory, in all graphs of a model.
   */
  readonly state?: { readonly key: string; readonly fill: number }
  /** Set for weights with a scale for each block of `blockSize` elements along the last dimension. */
  readonly blockwise?: {
    readonly scales: Value
    /** Undefined where they are all 0. */
    readonly zeroPoints?: Value
    readonly blockSize: number
  }
}

export interface Node {
  /** Name of the operator's definition in ops/ (`conv2d`). */
  readonly op: string
  /** Where the node comes from, for messages: `CONV_2D #12`. */
  readonly origin: string
  readonly attributes: unknown
  /** Indices of values; -1 for an absent optional operand. */
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** Values that only tell how results in between are quantised. */
  readonly intermediates?: readonly number[]
  /** What the node runs: both branches, condition and body, or what is run once. */
  readonly graphs?: readonly Graph[]
}

export interface Graph {
  readonly values: readonly Value[]
  /** In an order in which every value is computed before it is used. */
  readonly nodes: readonly Node[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** Which subgraph of the file it was built from. */
  readonly subgraph?: number
}

/** Runs a graph without inputs; gives the bytes of each output. */
export type Evaluate = (graph: Graph) => readonly Uint8Array[]

/** Whether a node is a custom operator that the caller of `loadModel` implements: no native step runs it. */
export function isCustom({ op }: Node): boolean {
  return op.startsWith(CUSTOM_PREFIX)
}

/**
 * Whether a node can be run once and for all while loading, where its operands are constants: it is native, keeps no state,
 * and has no loop, which might take any time.
 */
export function isFoldable(node: Node, values: readonly Value[]): boolean {
  return !isCustom(node) && !keepsState(node, values) && !hasLoop(node)
}

function hasLoop({ op, graphs = [] }: Node): boolean {
  return op === 'while' || graphs.some(({ nodes }) => nodes.some(hasLoop))
}

/** Whether a node reads or writes memory that later runs see. */
export function keepsState({ inputs, graphs = [] }: Node, values: readonly Value[]): boolean {
  return (
    inputs.some((index) => values[index]?.state !== undefined) ||
    graphs.some((graph) => graph.nodes.some((node) => keepsState(node, graph.values)))
  )
}

/** How the names of such operators begin. */
export const CUSTOM_PREFIX = 'custom:'

export type Pass = (graph: Graph) => Graph
