// UNIQUE: the different elements of a list, in the order in which they first come, and for each element which of them it
// is. The graph puts a HEAD behind it, which cuts off what is beyond the count.

import { expectDtype, expectInputs, expectRank } from './checks.js'
import { defineOp } from './contract.js'

export const unique = defineOp<Record<string, never>>({
  name: 'unique',
  tflite: { type: 'UNIQUE', read: () => ({}) },
  infer(node) {
    expectInputs(node, 1)
    const input = node.input(0)
    expectDtype(node, input, ['int8', 'uint8', 'int16', 'int32', 'int64', 'float32'])
    expectRank(node, input, 1)
    const places = node.output(1)
    expectDtype(node, places, ['int32', 'int64'])
    const { shape, dtype } = input
    return [
      { shape, dtype },
      { shape, dtype: places.dtype },
      { shape: [], dtype: 'int32' },
    ]
  },
  lower(node) {
    const outputs = [node.output(0), node.output(1), node.output(2)]
    return { steps: [{ kind: 'unique', inputs: [node.input(0)], outputs, attributes: {} }] }
  },
})
