// TRANSPOSE: dimensions in another order.

import type { Dtype } from '../tensor/dtype.js'
import {
  axisOf,
  constants,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameDtype,
  MOVABLE,
} from './checks.js'
import { defineOp, type NodeContext } from './contract.js'
import { stridedStep, stridesOf } from './strided.js'

function permutation(node: NodeContext<unknown>): number[] {
  const rank = node.input(0).shape.length
  const order = constants(node, node.input(1), rank).map((axis) => axisOf(node, axis, rank))
  if (new Set(order).size === rank) return order
  throw node.fail('FILE_INVALID', `[${order.join(', ')}] does not name every dimension once`, {
    actual: order,
  })
}

export const transpose = defineOp<Record<string, never>>({
  name: 'transpose',
  tflite: { type: 'TRANSPOSE', read: () => ({}) },
  infer(node) {
    expectInputs(node, 2)
    const input = node.input(0)
    expectDtype(node, input, MOVABLE as readonly Dtype[])
    expectRank(node, input, 0, 8)
    return [{ shape: permutation(node).map((axis) => input.shape[axis] as number), dtype: input.dtype }]
  },
  lower(node) {
    const [input, output] = [node.input(0), node.output(0)]
    expectSameDtype(node, input, output)
    const order = permutation(node)
    // Only moving dimensions of extent 1 moves no byte.
    const moved = order.filter((axis) => input.shape[axis] !== 1)
    if (moved.every((axis, i) => i === 0 || axis > (moved[i - 1] as number))) return { view: true }
    const strides = stridesOf(input.shape)
    return {
      steps: [
        stridedStep(input, output, {
          dims: output.shape,
          strides: order.map((axis) => strides[axis] as number),
          offset: 0,
        }),
      ],
    }
  },
})
