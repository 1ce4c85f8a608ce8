// Leaves out nodes whose results nothing reads. Besides its outputs a node may only change state that is an input of it;
// such nodes stay, since later runs may read the state.

import type { Graph, Node } from '../graph.js'

export function removeDeadNodes(graph: Graph): Graph {
  const needed = new Set(graph.outputs)
  const kept: Node[] = []
  for (const node of graph.nodes.toReversed()) {
    const keepsState = node.inputs.some((value) => graph.values[value]?.state !== undefined)
    if (!keepsState && !node.outputs.some((value) => needed.has(value))) continue
    for (const value of node.inputs) needed.add(value)
    kept.push(node)
  }
  return kept.length === graph.nodes.length ? graph : { ...graph, nodes: kept.reverse() }
}
