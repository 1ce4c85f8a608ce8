// RFFT2D, and REAL, IMAG and COMPLEX_ABS of its result.

import { constants, expectDtype, expectInputs, expectRank } from './checks.js'
import { defineOp, type NodeContext } from './contract.js'

/** Height and width of the transform: powers of two, as in the reference. */
function lengthsOf(node: NodeContext<unknown>): readonly [height: number, width: number] {
  const [height = 0, width = 0] = constants(node, node.input(1), 2)
  const fits = (length: number) => length >= 1 && length <= 2 ** 24 && (length & (length - 1)) === 0
  if (fits(height) && fits(width)) return [height, width]
  throw node.fail('OPERATOR_UNSUPPORTED', `a transform of ${height} x ${width}: both must be powers of two`, {
    actual: [height, width],
  })
}

export const rfft2d = defineOp<Record<string, never>>({
  name: 'rfft2d',
  tflite: { type: 'RFFT2D', read: () => ({}) },
  infer(node) {
    expectInputs(node, 2)
    const input = node.input(0)
    expectDtype(node, input, ['float32'])
    expectRank(node, input, 2, 8)
    const [height, width] = lengthsOf(node)
    return [
      {
        shape: [...input.shape.slice(0, -2), height, width / 2 >= 1 ? width / 2 + 1 : 1],
        dtype: 'complex64',
      },
    ]
  },
  lower(node) {
    const [height, width] = lengthsOf(node)
    const attributes = { height, width }
    return { steps: [{ kind: 'rfft2d', inputs: [node.input(0)], outputs: [node.output(0)], attributes }] }
  },
})

function partOp(name: string, part: number) {
  return defineOp<Record<string, never>>({
    name,
    tflite: { type: name.toUpperCase(), read: () => ({}) },
    infer(node) {
      expectInputs(node, 1)
      expectDtype(node, node.input(0), ['complex64'])
      return [{ shape: node.input(0).shape, dtype: 'float32' }]
    },
    lower(node) {
      return {
        steps: [
          { kind: 'complex_part', inputs: [node.input(0)], outputs: [node.output(0)], attributes: { part } },
        ],
      }
    },
  })
}

export const real = partOp('real', 0)
export const imag = partOp('imag', 1)
export const complexAbs = partOp('complex_abs', 2)
