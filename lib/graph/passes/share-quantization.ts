// Fully connected layers with integer weights that quantise the same float input while running (query, key and value of an
// attention): it is quantised once, by a node of its own.
//
// Exact: the same kernel makes the same codes of the same rows.

import type { FullyConnectedAttributes } from '../../ops/fully-connected.js'
import type { QuantizeRowsAttributes } from '../../ops/quantize-rows.js'
import type { Graph, Node, Value } from '../graph.js'

export function shareQuantization(graph: Graph): Graph {
  const groups = new Map<string, Node[]>()
  for (const node of graph.nodes) {
    const key = keyOf(node, graph.values)
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), node])
  }
  const shared = [...groups.values()].filter(({ length }) => length > 1)
  if (shared.length === 0) return graph
  const values = [...graph.values]
  const edits = new Map<Node, readonly Node[]>()
  for (const layers of shared) {
    const [first] = layers as [Node]
    const quantization = quantizationOf(first, values)
    for (const layer of layers) {
      const edit = onCodes(layer, quantization.outputs)
      edits.set(layer, layer === first ? [quantization, edit] : [edit])
    }
  }
  return { ...graph, values, nodes: graph.nodes.flatMap((node) => edits.get(node) ?? [node]) }
}

/** What layers of one quantisation have in common; undefined for nodes that are no such layers. */
function keyOf({ op, inputs, attributes }: Node, values: readonly Value[]): string | undefined {
  const [input = -1, weights = -1] = inputs
  const { dtype, shape, blockwise } = values[weights] ?? {}
  if (op !== 'fully_connected' || values[input]?.dtype !== 'float32') return undefined
  if (values[input]?.data !== undefined || dtype !== 'int8' || blockwise !== undefined) return undefined
  const { asymmetricInputs } = attributes as FullyConnectedAttributes
  return `${input} in rows of ${shape?.[1]}, asymmetric ${asymmetricInputs}`
}

/** The node that quantises the input of a layer; its outputs are new values. */
function quantizationOf(layer: Node, values: Value[]): Node {
  const [input = -1, weights = -1] = layer.inputs
  const { name, shape } = values[input] as Value
  const depth = values[weights]?.shape[1] ?? 1
  const rows = shape.reduce((size, extent) => size * extent, 1) / depth
  const { asymmetricInputs } = layer.attributes as FullyConnectedAttributes
  const first = values.length
  values.push(
    { name: `${name}/codes`, shape, dtype: 'int8' },
    { name: `${name}/scales`, shape: [rows], dtype: 'float32' },
    { name: `${name}/zero_points`, shape: [rows], dtype: 'int32' },
  )
  const attributes: QuantizeRowsAttributes = { depth, asymmetric: asymmetricInputs }
  const { origin } = layer
  return { op: 'quantize_rows', origin, attributes, inputs: [input], outputs: [first, first + 1, first + 2] }
}

function onCodes(layer: Node, [codes = -1, scales = -1, zeroPoints = -1]: readonly number[]): Node {
  const [, weights = -1, bias = -1] = layer.inputs
  const attributes = { ...(layer.attributes as FullyConnectedAttributes), quantizedRows: true }
  return { ...layer, attributes, inputs: [codes, weights, bias, scales, zeroPoints] }
}
