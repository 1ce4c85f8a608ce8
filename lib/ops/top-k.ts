// TOPK_V2: the largest elements of each row and where they stand; of equals the one that comes first.

import { expectDtype, expectInputs, expectRank, expectSameDtype } from './checks.js'
import { constantScalar } from './constant.js'
import { defineOp } from './contract.js'

export const topkV2 = defineOp<Record<string, never>>({
  name: 'topk_v2',
  tflite: { type: 'TOPK_V2', read: () => ({}) },
  infer(node) {
    expectInputs(node, 2)
    const [input, k] = [node.input(0), node.input(1)]
    expectDtype(node, input, ['int8', 'uint8', 'int16', 'int32', 'int64', 'float32'])
    expectDtype(node, k, ['int16', 'int32'])
    expectRank(node, input, 1, 8)
    const count = Math.max(0, constantScalar(node, k))
    const depth = input.shape.at(-1) as number
    if (count > depth) {
      throw node.fail('SHAPE_MISMATCH', `the largest ${count} of ${depth}`, {
        expected: depth,
        actual: count,
      })
    }
    const shape = input.shape.with(-1, count)
    return [
      { shape, dtype: input.dtype },
      { shape, dtype: 'int32' },
    ]
  },
  lower(node) {
    const [input, values, indices] = [node.input(0), node.output(0), node.output(1)]
    expectSameDtype(node, input, values)
    return { steps: [{ kind: 'top_k', inputs: [input], outputs: [values, indices], attributes: {} }] }
  },
})
