// Questions that passes ask, and the one edit that most of them make.

import type { Graph, Node, Value } from './graph.js'

/** The node that computes each value. */
export function producers({ nodes }: Graph): ReadonlyMap<number, Node> {
  return new Map(nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)))
}

/** How many operands and graph outputs each value is. */
export function useCounts({ nodes, outputs }: Graph): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (const value of [...nodes.flatMap((node) => node.inputs), ...outputs]) {
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return counts
}

/** The graph with some nodes replaced, or left out where the replacement is null. */
export function replaceNodes(graph: Graph, edits: ReadonlyMap<Node, Node | null>): Graph {
  if (edits.size === 0) return graph
  const nodes = graph.nodes.flatMap((node) => {
    const edit = edits.get(node)
    return edit === null ? [] : [edit ?? node]
  })
  return { ...graph, nodes }
}

/** Whether both are quantised alike, code for code, with one scale. */
export function sameAffine({ quantization: a }: Value, { quantization: b }: Value): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.scale.length === 1 &&
    b.scale.length === 1 &&
    a.scale[0] === b.scale[0] &&
    (a.zeroPoint[0] ?? 0) === (b.zeroPoint[0] ?? 0)
  )
}
