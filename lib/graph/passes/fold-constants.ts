// Computes once, while loading, what depends on constants alone (weights that a file stores narrow and widens by
// DEQUANTIZE, reshaped weights). The same steps compute it that would do so in each run, so that no bit can differ.

import { byteLength } from '../../tensor/dtype.js'
import { type Evaluate, type Graph, isFoldable, type Node, type Pass } from '../graph.js'

/** @param most Bytes that the folded values may take together; a graph that would need more stays as it is. */
export function foldConstants(evaluate: Evaluate, most: number): Pass {
  return (graph) => {
    const { values, nodes } = graph
    const constant = new Set(values.flatMap(({ data }, index) => (data === undefined ? [] : [index])))
    const folded = new Set<Node>()
    for (const node of nodes) {
      if (!isFoldable(node, values) || !node.inputs.every((index) => index === -1 || constant.has(index)))
        continue
      folded.add(node)
      for (const index of node.outputs) constant.add(index)
    }
    if (folded.size === 0) return graph

    const rest = nodes.filter((node) => !folded.has(node))
    const used = new Set([...rest.flatMap(({ inputs }) => inputs), ...graph.outputs])
    const outputs = [...folded].flatMap((node) => node.outputs).filter((index) => used.has(index))
    const bytes = outputs.map((index) => {
      const { dtype, shape } = values[index] as Graph['values'][number]
      return byteLength(dtype, shape) ?? Number.POSITIVE_INFINITY
    })
    if (bytes.reduce((sum, count) => sum + count, 0) > most) return graph

    const results = evaluate({
      ...graph,
      nodes: [...folded],
      inputs: [],
      outputs,
    })
    const known = new Map(outputs.map((index, i) => [index, results[i] as Uint8Array]))
    return {
      ...graph,
      values: values.map((value, index) => {
        const data = known.get(index)
        return data === undefined ? value : { ...value, data }
      }),
      nodes: rest,
    }
  }
}
