// GATHER: slices along a dimension, by their indices.

import { shapeText } from '../tensor/shape.js'
import { axisOf, expectDtype, expectInputs, expectRank, expectSameDtype, MOVABLE } from './checks.js'
import { defineOp, type NodeContext } from './contract.js'

export interface GatherAttributes {
  readonly axis: number
  /** How many leading dimensions input and indices share. */
  readonly batchDims: number
}

function dimensions(node: NodeContext<GatherAttributes>): { axis: number; batchDims: number } {
  const [input, indices] = [node.input(0), node.input(1)]
  const axis = axisOf(node, node.attributes.axis, input.shape.length)
  const given = node.attributes.batchDims
  const batchDims = given < 0 ? given + indices.shape.length : given
  const shared = indices.shape.slice(0, batchDims)
  if (
    !(batchDims >= 0 && batchDims <= axis && batchDims <= indices.shape.length) ||
    shared.some((extent, i) => extent !== input.shape[i])
  ) {
    throw node.fail(
      'SHAPE_MISMATCH',
      `${shapeText(input.shape)} and indices ${shapeText(indices.shape)} do not share ${given} dimensions before axis ${axis}`,
      { expected: input.shape, actual: indices.shape },
    )
  }
  return { axis, batchDims }
}

export const gather = defineOp<GatherAttributes>({
  name: 'gather',
  tflite: {
    type: 'GATHER',
    read: (options) => ({ axis: Number(options['axis'] ?? 0), batchDims: Number(options['batchDims'] ?? 0) }),
  },
  infer(node) {
    expectInputs(node, 2)
    const [input, indices] = [node.input(0), node.input(1)]
    expectDtype(node, input, MOVABLE)
    expectDtype(node, indices, ['int32', 'int64'])
    expectRank(node, input, 1, 8)
    const { axis, batchDims } = dimensions(node)
    const extent = input.shape[axis] as number
    if (indices.data !== undefined) {
      for (const index of node.constantInts(indices)) {
        if (index >= 0 && index < extent) continue
        throw node.fail('SHAPE_MISMATCH', `index ${index} of ${extent} slices`, {
          expected: extent,
          actual: index,
        })
      }
    }
    const shape = [
      ...input.shape.slice(0, axis),
      ...indices.shape.slice(batchDims),
      ...input.shape.slice(axis + 1),
    ]
    if (shape.length > 8) throw node.fail('OPERATOR_UNSUPPORTED', `a result of rank ${shape.length}`)
    return [{ shape, dtype: input.dtype }]
  },
  lower(node) {
    const [input, indices, output] = [node.input(0), node.input(1), node.output(0)]
    expectSameDtype(node, input, output)
    const { axis, batchDims } = dimensions(node)
    return {
      steps: [
        {
          kind: 'gather',
          inputs: [input, indices],
          outputs: [output],
          attributes: { axis, batch_dims: batchDims },
        },
      ],
    }
  },
})
