// The laws that every graph keeps; checked after each pass.

import type { Graph } from './graph.js'

/** The first law that the graph breaks, as a sentence; undefined if it keeps them all. */
export function problemOf(graph: Graph): string | undefined {
  const { values, nodes, inputs, outputs } = graph
  const exists = (index: number) => Number.isInteger(index) && index >= 0 && index < values.length
  const ready = new Set<number>()
  values.forEach((value, index) => {
    if (value.data !== undefined || value.state !== undefined) ready.add(index)
  })
  for (const index of inputs) {
    if (!exists(index)) return `input ${index} is no value`
    if (ready.has(index)) return `input ${index} is listed twice, a constant or state`
    ready.add(index)
  }
  for (const node of nodes) {
    for (const index of node.inputs) {
      if (index === -1) continue
      if (!exists(index)) return `${node.origin}: operand ${index} is no value`
      if (!ready.has(index)) return `${node.origin}: value ${index} is used before it is computed`
    }
    for (const index of node.outputs) {
      if (!exists(index)) return `${node.origin}: output ${index} is no value`
      if (ready.has(index)) return `${node.origin}: value ${index} is already computed`
      ready.add(index)
    }
  }
  for (const index of outputs) {
    if (!exists(index)) return `output ${index} is no value`
    if (!ready.has(index)) return `output ${index} is never computed`
  }
  for (const [index, { shape }] of values.entries()) {
    if (ready.has(index) && !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
      return `value ${index} has the shape [${shape.join(', ')}]`
    }
  }
  return undefined
}
