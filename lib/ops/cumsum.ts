// CUMSUM: running sums along a dimension.

import { axisOf, constants, expectDtype, expectInputs, expectRank, expectSameDtype } from './checks.js'
import { defineOp, type NodeContext } from './contract.js'

interface CumSumAttributes {
  /** Each sum leaves its own element out. */
  readonly exclusive: boolean
  /** From the end. */
  readonly reverse: boolean
}

function axisOfNode(node: NodeContext<unknown>): number {
  const [axis] = constants(node, node.input(1), 1)
  return axisOf(node, axis, node.input(0).shape.length)
}

export const cumsum = defineOp<CumSumAttributes>({
  name: 'cumsum',
  tflite: {
    type: 'CUMSUM',
    read: (options) => ({
      exclusive: Boolean(options['exclusive'] ?? false),
      reverse: Boolean(options['reverse'] ?? false),
    }),
  },
  infer(node) {
    expectInputs(node, 2)
    const input = node.input(0)
    expectDtype(node, input, ['int32', 'int64', 'float32'])
    expectRank(node, input, 1, 8)
    axisOfNode(node)
    return [{ shape: input.shape, dtype: input.dtype }]
  },
  lower(node) {
    const [input, output] = [node.input(0), node.output(0)]
    expectSameDtype(node, input, output)
    const { exclusive, reverse } = node.attributes
    const attributes = { axis: axisOfNode(node), exclusive: Number(exclusive), reverse: Number(reverse) }
    return { steps: [{ kind: 'cumsum', inputs: [input], outputs: [output], attributes }] }
  },
})
