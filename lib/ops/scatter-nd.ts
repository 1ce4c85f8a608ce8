// SCATTER_ND: zeros, to which slices are added at indices that may be computed at run time.

import { shapeText } from '../tensor/shape.js'
import {
  expectDtype,
  expectInputs,
  expectRank,
  expectSameDtype,
  extentOf,
  fewConstants,
  sameShape,
} from './checks.js'
import { defineOp } from './contract.js'

export const scatterNd = defineOp<Record<string, never>>({
  name: 'scatter_nd',
  tflite: { type: 'SCATTER_ND', read: () => ({}) },
  infer(node) {
    expectInputs(node, 3)
    const [indices, updates] = [node.input(0), node.input(1)]
    expectDtype(node, indices, ['int32', 'int64'])
    expectDtype(node, updates, ['bool', 'int8', 'uint8', 'int16', 'int32', 'int64', 'float32'])
    expectRank(node, indices, 1, 8)
    expectRank(node, updates, 0, 8)
    const shape = fewConstants(node, node.input(2))
    const depth = indices.shape.at(-1) as number
    const slices = [...indices.shape.slice(0, -1), ...shape.slice(depth)]
    if (depth > shape.length || shape.length > 8 || !sameShape(updates.shape, slices)) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `slices of ${shapeText(updates.shape)} do not fit into ${shapeText(shape)}`,
        {
          expected: slices,
          actual: updates.shape,
        },
      )
    }
    return [{ shape, dtype: updates.dtype }]
  },
  lower(node) {
    const [indices, updates, output] = [node.input(0), node.input(1), node.output(0)]
    expectSameDtype(node, updates, output)
    const depth = indices.shape.at(-1) as number
    return {
      steps: [
        {
          kind: 'scatter',
          inputs: [indices, updates],
          outputs: [output],
          attributes: {
            rank: depth,
            dims: Int32Array.from(output.shape.slice(0, depth)),
            inner: extentOf(output.shape, depth, output.shape.length),
            count: extentOf(indices.shape, 0, indices.shape.length - 1),
          },
        },
      ],
    }
  },
})
