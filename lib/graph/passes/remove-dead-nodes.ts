// Leaves out nodes whose results nothing reads. Nodes that keep state stay, since later runs may read it.

import { type Graph, keepsState, type Node } from '../graph.js'

export function removeDeadNodes(graph: Graph): Graph {
  const needed = new Set(graph.outputs)
  const kept: Node[] = []
  for (const node of graph.nodes.toReversed()) {
    if (!keepsState(node, graph.values) && !node.outputs.some((value) => needed.has(value))) continue
    for (const value of node.inputs) needed.add(value)
    kept.push(node)
  }
  return kept.length === graph.nodes.length ? graph : { ...graph, nodes: kept.reverse() }
}
