// A float32 MUL by a constant 2^-n, then a SOFTMAX: the softmax takes it into its beta, by which it multiplies differences
// of its inputs anyway.
//
// Exact: scaling by a power of two commutes with rounding, but for products below the smallest normal number; differences
// of these leave e^(beta difference) at 1 either way.

import type { SoftmaxAttributes } from '../../ops/softmax.js'
import { producers, replaceNodes, useCounts } from '../edit.js'
import type { Graph, Node, Value } from '../graph.js'

export function fuseScale(graph: Graph): Graph {
  const { values, nodes } = graph
  const producer = producers(graph)
  const uses = useCounts(graph)
  const edits = new Map<Node, Node | null>()
  for (const node of nodes) {
    const [scaled = -1] = node.inputs
    const mul = producer.get(scaled)
    if (node.op !== 'softmax' || mul?.op !== 'mul' || uses.get(scaled) !== 1) continue
    if (values[scaled]?.dtype !== 'float32' || (mul.attributes as { activation: number }).activation !== 0)
      continue
    const [a = -1, b = -1] = mul.inputs
    const [factor, input] = [
      powerOf(values[b]) ?? powerOf(values[a]),
      powerOf(values[b]) === undefined ? b : a,
    ]
    const { beta } = node.attributes as SoftmaxAttributes
    if (factor === undefined || !(beta * factor >= LEAST)) continue
    if (String(values[input]?.shape) !== String(values[scaled]?.shape)) continue
    edits.set(mul, null)
    edits.set(node, { ...node, attributes: { beta: beta * factor }, inputs: [input] })
  }
  return replaceNodes(graph, edits)
}

/** Far enough above the smallest normal number for what the kernels multiply beta by. */
const LEAST = 2 ** -100

/** The value of a constant of one element that is 1, 1/2, 1/4, ... */
function powerOf(value: Value | undefined): number | undefined {
  if (value?.data?.byteLength !== 4 || value.dtype !== 'float32') return undefined
  const factor = new DataView(value.data.buffer, value.data.byteOffset).getFloat32(0, true)
  return factor > 0 && factor <= 1 && Number.isInteger(Math.log2(factor)) ? factor : undefined
}
