// PAD of height and width, then a convolution: the convolution pads by itself.
//
// Exact for integers: PAD writes the zero point, and a convolution's padding stands for the zero point too, so the same
// terms enter the same integer sum.

import type { ConvWindow } from '../../ops/conv-window.js'
import { windowGeometry } from '../../ops/window.js'
import { producers, replaceNodes, sameAffine, useCounts } from '../edit.js'
import type { Graph, Node, Value } from '../graph.js'

/** Top, bottom, left, right. */
type Amounts = readonly [number, number, number, number]

const CONVOLUTIONS = ['conv2d', 'depthwise_conv2d']
const INTEGERS = ['int8', 'uint8', 'int16']

export function fusePad(graph: Graph): Graph {
  const { values, nodes } = graph
  const producer = producers(graph)
  const uses = useCounts(graph)
  const edits = new Map<Node, Node | null>()
  for (const node of nodes) {
    if (!CONVOLUTIONS.includes(node.op)) continue
    const [input = -1, weights = -1, ...rest] = node.inputs
    const pad = producer.get(input)
    if (pad?.op !== 'pad' || uses.get(input) !== 1) continue
    const amounts = amountsOf(pad, values)
    const filter = values[weights]?.shape
    const padded = values[input]?.shape
    if (amounts === undefined || filter === undefined || padded === undefined) continue
    const attributes = node.attributes as ConvWindow
    const own = explicitPadding(attributes, padded, filter)
    const sum = amounts.map((amount, i) => amount + (own[i] as number)) as unknown as Amounts
    edits.set(pad, null)
    edits.set(node, {
      ...node,
      attributes: { ...attributes, padding: sum },
      inputs: [pad.inputs[0] as number, weights, ...rest],
    })
  }
  return replaceNodes(graph, edits)
}

/** What a PAD adds to height and width, if it adds to nothing else and only codes that mean zero. */
function amountsOf(pad: Node, values: readonly Value[]): Amounts | undefined {
  const [input, amounts] = pad.inputs.map((index) => values[index])
  const output = values[pad.outputs[0] ?? -1]
  if (input === undefined || output === undefined || amounts?.data === undefined) return undefined
  if (pad.inputs.length !== 2 || input.shape.length !== 4 || input.data !== undefined) return undefined
  if (!INTEGERS.includes(input.dtype) || !sameAffine(input, output)) return undefined
  if (amounts.dtype !== 'int32' || amounts.data.byteLength !== 32) return undefined
  const view = new DataView(amounts.data.buffer, amounts.data.byteOffset, 32)
  const pairs = Array.from({ length: 8 }, (_, i) => view.getInt32(4 * i, true))
  const [n0, n1, top = -1, bottom = -1, left = -1, right = -1, c0, c1] = pairs
  if (n0 !== 0 || n1 !== 0 || c0 !== 0 || c1 !== 0) return undefined
  return Math.min(top, bottom, left, right) < 0 ? undefined : [top, bottom, left, right]
}

function explicitPadding(
  { padding, stride, dilation }: ConvWindow,
  input: readonly number[],
  filter: readonly number[],
): Amounts {
  if (typeof padding !== 'string') return padding
  if (padding === 'valid') return [0, 0, 0, 0]
  const along = (axis: 0 | 1): [number, number] => {
    const extent = input[axis + 1] as number
    const taps = filter[axis + 1] as number
    const { output, padBefore } = windowGeometry({
      input: extent,
      filter: taps,
      stride: stride[axis],
      dilation: dilation[axis],
      padding: 0,
    })
    const total = Math.max(0, (output - 1) * stride[axis] + (taps - 1) * dilation[axis] + 1 - extent)
    return [padBefore, total - padBefore]
  }
  return [...along(0), ...along(1)]
}
