// A RELU, RELU6 or RELU_N1_TO_1 of its own, after an operator that can clamp its output: the operator clamps.
//
// Exact for int8 and uint8 where both sides of the activation are quantised alike: its factor is then exactly 1, so it
// is a clamp of codes to the same bounds that a fused activation has, and clamping twice is clamping to the narrower.

import { producers, replaceNodes, sameAffine, useCounts } from '../edit.js'
import type { Graph, Node } from '../graph.js'

/** Numbers of the schema's `ActivationFunctionType`. */
const ACTIVATIONS: Readonly<Record<string, number>> = { relu: 1, relu_n1_to_1: 2, relu6: 3 }
const NONE = 0

/** Operators that clamp their output, with the activation as attribute. */
const CLAMPING = ['conv2d', 'depthwise_conv2d', 'fully_connected', 'add', 'sub', 'mul']

export function fuseActivation(graph: Graph): Graph {
  const { values, nodes } = graph
  const producer = producers(graph)
  const uses = useCounts(graph)
  const edits = new Map<Node, Node | null>()
  for (const node of nodes) {
    const activation = ACTIVATIONS[node.op]
    const [from = -1] = node.inputs
    const [to = -1] = node.outputs
    const before = producer.get(from)
    if (activation === undefined || before === undefined || edits.has(before)) continue
    if (!CLAMPING.includes(before.op) || before.outputs.length !== 1 || uses.get(from) !== 1) continue
    const attributes = before.attributes as { readonly activation?: number }
    if (attributes.activation !== NONE) continue
    const [input, output] = [values[from], values[to]]
    if (input === undefined || output === undefined || !sameAffine(input, output)) continue
    if (input.dtype !== output.dtype || !['int8', 'uint8'].includes(input.dtype)) continue
    edits.set(node, null)
    edits.set(before, { ...before, attributes: { ...attributes, activation }, outputs: [to] })
  }
  return replaceNodes(graph, edits)
}
