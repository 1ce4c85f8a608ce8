// A layer normalisation spelt as Keras does, in one node:
//
//   m = MEAN(x)    r = RSQRT(MEAN(SQUARED_DIFFERENCE(x, m)) + epsilon)    g = r gamma    y = x g + (-m g [+ beta])
//
// Exact: the one step does the same operations in the same order on each element, with the same kernels' order of sums.

import { producers, replaceNodes, useCounts } from '../edit.js'
import type { Graph, Node } from '../graph.js'

export function fuseLayerNorm(graph: Graph): Graph {
  if (!graph.nodes.some(({ op }) => op === 'rsqrt')) return graph
  const finder = new Finder(graph)
  const edits = new Map<Node, Node | null>()
  for (const node of graph.nodes) {
    const found = finder.endingIn(node)
    if (found === undefined) continue
    for (const inner of found.inner) edits.set(inner, null)
    edits.set(node, found.fused)
  }
  return replaceNodes(graph, edits)
}

class Finder {
  readonly #graph: Graph
  readonly #producer: ReadonlyMap<number, Node>
  readonly #uses: ReadonlyMap<number, number>

  constructor(graph: Graph) {
    this.#graph = graph
    this.#producer = producers(graph)
    this.#uses = useCounts(graph)
  }

  /** The node for all of a normalisation whose last operator is `last`, and its other operators. */
  endingIn(last: Node): { readonly fused: Node; readonly inner: readonly Node[] } | undefined {
    const [a = -1, b = -1] = last.inputs
    const [output = -1] = last.outputs
    if (this.#madeBy('add', output, this.#uses.get(output)) === undefined) return undefined
    const found = this.#sum(a, b) ?? this.#sum(b, a)
    if (found === undefined) return undefined
    const { x, factors, epsilon, inner } = found
    const [shape, depth] = [this.#shape(x), this.#shape(x).at(-1)]
    const fits = factors.every((value) => this.#size(value) === depth && this.#shape(value).at(-1) === depth)
    if (!fits || depth === 0 || String(this.#shape(output)) !== String(shape)) return undefined
    return { fused: { ...last, op: 'layer_norm', attributes: { epsilon }, inputs: [x, ...factors] }, inner }
  }

  /** x g, and -m g or that plus beta. */
  #sum(scaled: number, shifted: number) {
    const product = this.#madeBy('mul', scaled)
    const [slope, x = -1] = this.#operands(product, 'mul', 2)
    const withBeta = this.#madeBy('add', shifted)
    const [inner, beta] = this.#operands(withBeta, 'mul')
    const shift = inner ?? this.#madeBy('mul', shifted)
    const [negated, g] = this.#operands(shift, 'neg')
    const [rsqrt, gamma = -1] = this.#operands(slope, 'rsqrt')
    const deviation = this.#deviation(rsqrt, x)
    if (deviation === undefined || negated?.inputs[0] !== deviation.mean || g !== slope?.outputs[0])
      return undefined
    const nodes = [
      ...deviation.nodes,
      negated,
      slope,
      product,
      shift,
      beta === undefined ? undefined : withBeta,
    ]
    return {
      x,
      factors: beta === undefined ? [gamma] : [gamma, beta],
      epsilon: deviation.epsilon,
      inner: nodes.filter((node) => node !== undefined),
    }
  }

  /** The mean of x, and epsilon, of r = RSQRT(variance of x + epsilon). */
  #deviation(rsqrt: Node | undefined, x: number) {
    const sum = this.#madeBy('add', rsqrt?.inputs[0])
    const [variance, constant = -1] = this.#operands(sum, 'mean')
    const squares = this.#madeBy('squared_difference', this.#meanOf(variance))
    const [mean, minuend] = this.#operands(squares, 'mean', 2)
    const { data } = this.#graph.values[constant] ?? {}
    if (minuend !== x || this.#meanOf(mean) !== x || data?.byteLength !== 4) return undefined
    const epsilon = new DataView(data.buffer, data.byteOffset).getFloat32(0, true)
    return { mean: mean?.outputs[0], epsilon, nodes: [mean, squares, variance, sum, rsqrt] }
  }

  /** What a mean along the last dimension, which stays, is taken of. */
  #meanOf(mean: Node | undefined): number | undefined {
    const [input = -1, axes = -1] = mean?.inputs ?? []
    const { data, dtype } = this.#graph.values[axes] ?? {}
    if (mean === undefined || data?.byteLength !== 4 || dtype !== 'int32') return undefined
    const axis = new DataView(data.buffer, data.byteOffset).getInt32(0, true)
    const isLast = axis === -1 || axis === this.#shape(input).length - 1
    return isLast && (mean.attributes as { readonly keepDims: boolean }).keepDims ? input : undefined
  }

  /** The float32 operator, without a clamp, that computes a value of so many uses. */
  #madeBy(op: string, value = -1, uses = 1): Node | undefined {
    const node = this.#producer.get(value)
    if (node?.op !== op || this.#uses.get(value) !== uses) return undefined
    const { activation = 0 } = (node.attributes ?? {}) as { readonly activation?: number }
    return activation === 0 && this.#graph.values[value]?.dtype === 'float32' ? node : undefined
  }

  /** Of two operands the one that `op` makes, and the other. */
  #operands(node: Node | undefined, op: string, uses = 1): readonly [node?: Node, other?: number] {
    const [a = -1, b = -1] = node?.inputs ?? []
    const [first, second] = [this.#madeBy(op, a, uses), this.#madeBy(op, b, uses)]
    return first !== undefined ? [first, b] : second !== undefined ? [second, a] : []
  }

  #shape(value: number): readonly number[] {
    return this.#graph.values[value]?.shape ?? []
  }

  #size(value: number): number {
    return this.#shape(value).reduce((size, extent) => size * extent, 1)
  }
}
