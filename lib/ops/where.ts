// WHERE: the indices of all elements that are not zero, in order. The graph puts a HEAD behind it, which cuts off what is
// beyond the count.

import { elementCount } from '../tensor/shape.js'
import { expectDtype, expectInputs, expectRank } from './checks.js'
import { defineOp } from './contract.js'

export const where = defineOp<Record<string, never>>({
  name: 'where',
  tflite: { type: 'WHERE', read: () => ({}) },
  infer(node) {
    expectInputs(node, 1)
    const condition = node.input(0)
    expectDtype(node, condition, ['bool', 'int8', 'uint8', 'int32', 'int64', 'float32'])
    expectRank(node, condition, 1, 8)
    return [
      { shape: [elementCount(condition.shape), condition.shape.length], dtype: 'int64' },
      { shape: [], dtype: 'int32' },
    ]
  },
  lower(node) {
    const outputs = [node.output(0), node.output(1)]
    return { steps: [{ kind: 'where', inputs: [node.input(0)], outputs, attributes: {} }] }
  },
})
