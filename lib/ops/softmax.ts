// SOFTMAX and LOG_SOFTMAX along the last dimension.

import { quantizeMultiplier } from '../numerics/fixed-point.js'
import type { Dtype } from '../tensor/dtype.js'
import { codesOf, expectDtype, expectInputs, expectRank, expectSameDtype } from './checks.js'
import { defineOp, type NodeContext, type StepAttribute } from './contract.js'
import { piecewise } from './lut.js'

export interface SoftmaxAttributes {
  readonly beta: number
}

type Node = NodeContext<SoftmaxAttributes>

export const softmax = defineOp<SoftmaxAttributes>({
  name: 'softmax',
  tflite: { type: 'SOFTMAX', read: (options) => ({ beta: Number(options['beta'] ?? 0) }) },
  infer(node) {
    expectInputs(node, 1)
    const [input, output] = [node.input(0), node.output(0)]
    expectDtype(node, input, ['int8', 'uint8', 'int16', 'float32'])
    expectRank(node, input, 1, 8)
    if (!Number.isFinite(node.attributes.beta)) {
      throw node.fail('NOT_FINITE', `beta is ${node.attributes.beta}`, { actual: node.attributes.beta })
    }
    const widens = (input.dtype === 'int8' || input.dtype === 'uint8') && output.dtype === 'int16'
    return [{ shape: input.shape, dtype: widens ? 'int16' : input.dtype }]
  },
  lower(node) {
    const [input, output] = [node.input(0), node.output(0)]
    return {
      steps: [
        { kind: 'softmax', inputs: [input], outputs: [output], attributes: attributesOf(node, input.dtype) },
      ],
    }
  },
})

function attributesOf(node: Node, dtype: Dtype): Record<string, StepAttribute> {
  const { beta } = node.attributes
  if (dtype === 'float32') return { beta: Float32Array.of(beta), log: 0 }
  const { scale } = codesOf(node, node.input(0))
  if (dtype === 'int16') return tables16(beta, scale)
  return { log: 0, ...differenceScaling(node, beta, scale) }
}

/**
 * What scales differences from the largest code: beta * scale in Q5.26.
 *
 * @see TFLite, kernels/internal/quantization_util: PreprocessSoftmaxScaling.
 */
function differenceScaling(node: NodeContext<unknown>, beta: number, scale: number) {
  const factor = Math.min(beta * scale * 2 ** 26, 2 ** 31 - 1)
  if (factor > 1) return quantizeMultiplier(factor)
  throw node.fail('OPERATOR_UNSUPPORTED', `beta ${beta} with an input scale of ${scale} is too small`)
}

/** Tables of exp over [-10, 0] and of 1 / (1 + x) over [0, 1], 513 entries each. */
function tables16(beta: number, scale: number): Record<string, StepAttribute> {
  const range = 65535
  const double = (x: number) => x
  const { multiplier, shift } = quantizeMultiplier(Math.fround(scale * beta) / (10 / 65535))
  return {
    multiplier,
    shift,
    exp_table: piecewise({ scale: 10 / range, zeroPoint: 32767 }, 2 / range, Math.exp, double),
    inverse_table: piecewise({ scale: 1 / range, zeroPoint: -32768 }, 2 / range, (x) => 1 / (1 + x), double),
  }
}

export const logSoftmax = defineOp<Record<string, never>>({
  name: 'log_softmax',
  tflite: { type: 'LOG_SOFTMAX', read: () => ({}) },
  infer(node) {
    expectInputs(node, 1)
    const { shape, dtype } = node.input(0)
    expectDtype(node, node.input(0), ['int8', 'uint8', 'float32'])
    expectRank(node, node.input(0), 1, 8)
    return [{ shape, dtype }]
  },
  lower(node) {
    const [input, output] = [node.input(0), node.output(0)]
    expectSameDtype(node, input, output)
    const attributes = input.dtype === 'float32' ? { beta: Float32Array.of(1) } : logTables(node)
    return {
      steps: [{ kind: 'softmax', inputs: [input], outputs: [output], attributes: { log: 1, ...attributes } }],
    }
  },
})

/** @see TFLite, kernels/activations.cc: LogSoftmaxPrepare; quantization_util: PreprocessLogSoftmaxScalingExp. */
function logTables(node: NodeContext<unknown>): Record<string, StepAttribute> {
  const output = node.output(0)
  const to = codesOf(node, output)
  const highest = output.dtype === 'int8' ? 127 : 255
  if (to.scale !== 1 / 16 || to.zeroPoint !== highest) {
    const message = `the output has scale ${to.scale} and zero point ${to.zeroPoint}, the operator gives 1/16 and ${highest}`
    throw node.fail('OPERATOR_UNSUPPORTED', message, {
      expected: [1 / 16, highest],
      actual: [to.scale, to.zeroPoint],
    })
  }
  const scaling = differenceScaling(node, 1, codesOf(node, node.input(0)).scale)
  const reverse = quantizeMultiplier(2 ** (31 - scaling.shift) / scaling.multiplier)
  return { ...scaling, reverse_multiplier: reverse.multiplier, reverse_shift: reverse.shift }
}
