// What a stretch of a model takes and gives, and its parts for native code and for JavaScript.

import { type Cursor, graphOf, type Piece } from '../graph/build.js'
import { type Graph, isCustom, type Node, type Value } from '../graph/graph.js'

/** A piece as a graph: it takes what earlier ones have computed, and gives what later ones need. */
export function graphOfPiece(cursor: Cursor, { nodes, end, stop }: Piece, wanted: readonly number[]): Graph {
  const { values, flat, subgraph } = end
  if (cursor.next === 0 && stop === undefined) return { ...graphOf(end, nodes), outputs: wanted }
  const made = new Set(nodes.flatMap(({ outputs }) => outputs))
  const isFixed = (index: number) => values[index]?.data !== undefined || values[index]?.state !== undefined
  const read = new Set(nodes.flatMap(({ inputs }) => inputs))
  const later = stop === undefined ? [] : flat.operators.slice(end.next).flatMap(({ inputs }) => inputs)
  const needed = new Set([...later, ...wanted, ...(stop?.kind === 'value' ? [stop.value] : [])])
  return {
    values,
    nodes,
    inputs: [...read].filter((index) => index >= 0 && !made.has(index) && !isFixed(index)),
    outputs: [...needed].filter((index) => made.has(index)),
    subgraph,
  }
}

/** Nodes in a row that native code runs, as a graph of their own, or one custom operator. */
export type Segment =
  | { readonly kind: 'native'; readonly graph: Graph }
  | { readonly kind: 'custom'; readonly node: Node; readonly values: readonly Value[] }

/** The graph in pieces, in order: each native one gives what later pieces or the graph's outputs need. */
export function splitAtCustom(graph: Graph): readonly Segment[] {
  const { values } = graph
  const pieces: (Node | Node[])[] = []
  for (const node of graph.nodes) {
    const last = pieces.at(-1)
    if (isCustom(node)) pieces.push(node)
    else if (Array.isArray(last)) last.push(node)
    else pieces.push([node])
  }
  const needed = new Set(graph.outputs)
  const segments: Segment[] = []
  for (const piece of pieces.toReversed()) {
    const nodes = Array.isArray(piece) ? piece : [piece]
    const made = new Set(nodes.flatMap((node) => node.outputs))
    const read = new Set(nodes.flatMap((node) => node.inputs))
    const isGiven = (index: number) =>
      index >= 0 &&
      !made.has(index) &&
      values[index]?.data === undefined &&
      values[index]?.state === undefined
    const inputs = [...read].filter(isGiven)
    if (Array.isArray(piece)) {
      const outputs = [...made].filter((value) => needed.has(value))
      segments.push({ kind: 'native', graph: { ...graph, nodes, inputs, outputs } })
    } else {
      segments.push({ kind: 'custom', node: piece, values })
    }
    for (const value of inputs) needed.add(value)
  }
  return segments.reverse()
}
