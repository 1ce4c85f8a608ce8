// The first entries of a tensor along its first dimension, as many as a second operand says. Graphs put it behind
// operators whose output is as long as their data say; no file has it.

import { MOVABLE } from './checks.js'
import { constantScalar } from './constant.js'
import { defineOp } from './contract.js'

export const head = defineOp<Record<string, never>>({
  name: 'head',
  tflite: { type: 'LOWBIT_HEAD', read: () => ({}) },
  infer(node) {
    const { shape, dtype } = node.input(0)
    const count = constantScalar(node, node.input(1))
    const [most = 0, ...rest] = shape
    if (!MOVABLE.includes(dtype) || count < 0 || count > most) {
      throw node.fail('INTERNAL', `${count} entries of ${most}`, { actual: count })
    }
    return [{ shape: [count, ...rest], dtype }]
  },
  lower: () => ({ view: true }),
})
