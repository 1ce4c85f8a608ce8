// A TRANSPOSE that swaps rows and the last leading dimension, [.., m, heads, k] to [.., heads, m, k] or back, before or
// after a float32 BATCH_MATMUL: the product reads and writes the other order itself.
//
// Exact: the same numbers are multiplied and added in the same order.

import type { BatchMatmulAttributes } from '../../ops/batch-matmul.js'
import { producers, replaceNodes, useCounts } from '../edit.js'
import type { Graph, Node, Value } from '../graph.js'

export function fuseTranspose(graph: Graph): Graph {
  const { values, nodes } = graph
  const producer = producers(graph)
  const uses = useCounts(graph)
  const edits = new Map<Node, Node | null>()
  const reader = new Map(nodes.flatMap((node) => node.inputs.map((value) => [value, node] as const)))
  const swaps = (node: Node | undefined, value: number): node is Node =>
    node !== undefined && !edits.has(node) && uses.get(value) === 1 && swapsRows(node, values)
  for (const node of nodes) {
    const [a = -1, b = -1] = node.inputs
    const [output = -1] = node.outputs
    if (node.op !== 'batch_matmul' || [a, b, output].some((value) => values[value]?.dtype !== 'float32'))
      continue
    const before = [producer.get(a), producer.get(b)].map((from, i) =>
      swaps(from, [a, b][i] as number) ? from : undefined,
    )
    const after = reader.get(output)
    const isAfter = swaps(after, output)
    const [left, right] = before
    if (left === undefined && right === undefined && !isAfter) continue
    for (const transpose of [left, right, isAfter ? after : undefined]) {
      if (transpose !== undefined) edits.set(transpose, null)
    }
    const attributes: BatchMatmulAttributes = {
      ...(node.attributes as BatchMatmulAttributes),
      interleaved: [left !== undefined, right !== undefined, isAfter],
    }
    edits.set(node, {
      ...node,
      attributes,
      inputs: [left?.inputs[0] ?? a, right?.inputs[0] ?? b],
      outputs: isAfter ? after.outputs : node.outputs,
    })
  }
  return replaceNodes(graph, edits)
}

/** Whether a node is a TRANSPOSE that swaps the second and the third dimension, counted from the last. */
function swapsRows({ op, inputs }: Node, values: readonly Value[]): boolean {
  const [input, order] = inputs.map((index) => values[index])
  const rank = input?.shape.length ?? 0
  if (op !== 'transpose' || rank < 3 || order?.data === undefined || order.dtype !== 'int32') return false
  const view = new DataView(order.data.buffer, order.data.byteOffset, order.data.byteLength)
  const swapped = (i: number) => (i === rank - 3 ? rank - 2 : i === rank - 2 ? rank - 3 : i)
  return Array.from({ length: rank }, (_, i) => i).every((i) => {
    const axis = view.getInt32(4 * i, true)
    return (axis < 0 ? axis + rank : axis) === swapped(i)
  })
}
