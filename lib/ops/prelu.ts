// PRELU: numbers below zero are multiplied by a slope, one for each element of an operand that broadcasts.

import { quantizeMultiplier } from '../numerics/fixed-point.js'
import { isQuantizedDtype } from './activation.js'
import { binaryStep } from './binary.js'
import {
  broadcastShape,
  codesOf,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameDtype,
  sameShape,
} from './checks.js'
import { defineOp } from './contract.js'

export const prelu = defineOp<Record<string, never>>({
  name: 'prelu',
  tflite: { type: 'PRELU', read: () => ({}) },
  infer(node) {
    expectInputs(node, 2)
    const [input, alpha] = [node.input(0), node.input(1)]
    expectDtype(node, input, ['int8', 'uint8', 'int16', 'float32'])
    expectDtype(node, alpha, [input.dtype === 'int16' ? 'int8' : input.dtype])
    expectRank(node, input, 0, 8)
    if (!sameShape(broadcastShape(node, input.shape, alpha.shape), input.shape)) {
      throw node.fail('SHAPE_MISMATCH', 'the slopes do not broadcast to the shape of the input', {
        expected: input.shape,
        actual: alpha.shape,
      })
    }
    return [{ shape: input.shape, dtype: input.dtype }]
  },
  /** Factors are float32. @see TFLite, kernels/activations.cc: PreluPrepare. */
  lower(node) {
    const [input, alpha, output] = [node.input(0), node.input(1), node.output(0)]
    expectSameDtype(node, input, output)
    if (!isQuantizedDtype(input.dtype))
      return { steps: [{ ...binaryStep('prelu', input, alpha, output), inPlace: 0 }] }
    const [x, slope, y] = [input, alpha, output].map((operand) => codesOf(node, operand))
    if (!x || !slope || !y) throw node.fail('INTERNAL', 'operands without codes')
    const factors = [
      quantizeMultiplier(Math.fround(x.scale / y.scale)),
      quantizeMultiplier(Math.fround(Math.fround(x.scale * slope.scale) / y.scale)),
    ]
    return {
      steps: [
        {
          kind: 'quantized_prelu',
          inputs: [input, alpha],
          outputs: [output],
          attributes: {
            zero_points: Int32Array.of(x.zeroPoint, slope.zeroPoint, y.zeroPoint),
            multipliers: Int32Array.from(factors, ({ multiplier }) => multiplier),
            shifts: Int32Array.from(factors, ({ shift }) => shift),
          },
          inPlace: 0,
        },
      ],
    }
  },
})
