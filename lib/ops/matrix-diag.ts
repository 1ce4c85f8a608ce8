// MATRIX_DIAG and MATRIX_SET_DIAG: matrices of zeros, or given ones, with the given diagonals.

import { shapeText } from '../tensor/shape.js'
import { expectDtype, expectInputs, expectRank, expectSameDtype, MOVABLE, sameShape } from './checks.js'
import { defineOp } from './contract.js'

export const matrixDiag = defineOp<Record<string, never>>({
  name: 'matrix_diag',
  tflite: { type: 'MATRIX_DIAG', read: () => ({}) },
  infer(node) {
    expectInputs(node, 1)
    const { shape, dtype } = node.input(0)
    expectDtype(node, node.input(0), MOVABLE)
    expectRank(node, node.input(0), 1, 7)
    return [{ shape: [...shape, shape.at(-1) as number], dtype }]
  },
  lower: (node) => ({
    steps: [
      { kind: 'set_diagonal', inputs: [null, node.input(0)], outputs: [node.output(0)], attributes: {} },
    ],
  }),
})

export const matrixSetDiag = defineOp<Record<string, never>>({
  name: 'matrix_set_diag',
  tflite: { type: 'MATRIX_SET_DIAG', read: () => ({}) },
  infer(node) {
    expectInputs(node, 2)
    const [matrices, diagonals] = [node.input(0), node.input(1)]
    expectDtype(node, matrices, MOVABLE)
    expectSameDtype(node, matrices, diagonals)
    expectRank(node, matrices, 2, 8)
    const expected = [...matrices.shape.slice(0, -2), Math.min(...matrices.shape.slice(-2))]
    if (!sameShape(diagonals.shape, expected)) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `diagonals of ${shapeText(diagonals.shape)}, ${shapeText(expected)} are needed`,
        { tensor: diagonals.name, expected, actual: diagonals.shape },
      )
    }
    return [{ shape: matrices.shape, dtype: matrices.dtype }]
  },
  lower: (node) => ({
    steps: [
      {
        kind: 'set_diagonal',
        inputs: [node.input(0), node.input(1)],
        outputs: [node.output(0)],
        attributes: {},
      },
    ],
  }),
})
