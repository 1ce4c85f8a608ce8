// Leaves out nodes whose results nothing reads. No operator here has another effect than its outputs.

import type { Graph, Node } from '../graph.js'

export function removeDeadNodes(graph: Graph): Graph {
  const needed = new Set(graph.outputs)
  const kept: Node[] = []
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((value) => needed.has(value))) continue
    for (const value of node.inputs) needed.add(value)
    kept.push(node)
  }
  return kept.length === graph.nodes.length ? graph : { ...graph, nodes: kept.reverse() }
}
