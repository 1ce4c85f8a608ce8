// Activations of their own: RELU, RELU6, RELU_N1_TO_1, LEAKY_RELU, HARD_SWISH, LOGISTIC, TANH.
// Codes go through tables, computed here with the reference's arithmetic; float32 is computed natively.

import { quantizeMultiplier } from '../numerics/fixed-point.js'
import { activationRange, fusedActivation } from './activation.js'
import type { NodeContext } from './contract.js'
import { hardSwishCode } from './hard-swish.js'
import { codeTable, realTable, scaleCode } from './lut.js'
import { sigmoid16, tanh16 } from './sigmoid16.js'
import { type Affine, type Table, unaryOp } from './unary.js'

/** A clamp after rescaling. @see TFLite, kernels/activations.cc: QuantizedReluX. The factor is a float32 quotient. */
const clampTable =
  (name: 'relu' | 'relu6' | 'relu_n1_to_1'): Table =>
  (_node, from, to, dtype) => {
    const factor = quantizeMultiplier(Math.fround(from.scale / to.scale))
    const { low, high } = activationRange(fusedActivation.indexOf(name), to, dtype)
    return codeTable(dtype, dtype, (code) =>
      Math.min(high, Math.max(low, to.zeroPoint + scaleCode(code - from.zeroPoint, factor))),
    )
  }

/** @see TFLite, kernels/internal/reference/leaky_relu.h: QuantizeLeakyRelu. Factors are float32. */
const leakyTable: Table = ({ attributes: { alpha } }, from, to, dtype) => {
  const above = quantizeMultiplier(Math.fround(from.scale / to.scale))
  const below = quantizeMultiplier(
    Math.abs(Math.fround(Math.fround(from.scale * Math.fround(alpha)) / to.scale)),
  )
  return codeTable(dtype, dtype, (code) => {
    const x = code - from.zeroPoint
    if (x >= 0) return to.zeroPoint + scaleCode(x, above)
    return to.zeroPoint + (alpha < 0 ? -scaleCode(x, below) : scaleCode(x, below))
  })
}

const hardSwishTable: Table = (node, from, to, dtype) => {
  const code = hardSwishCode(from, to)
  if (code === undefined) {
    throw node.fail('OPERATOR_UNSUPPORTED', 'an output scale so fine that the reference refuses it')
  }
  return codeTable(dtype, dtype, code)
}

/** The scale that the reference asks of the output. */
function expectScale(node: NodeContext<unknown>, to: Affine, scale: number): void {
  if (to.scale === scale) return
  throw node.fail(
    'OPERATOR_UNSUPPORTED',
    `the output has the scale ${to.scale}, the operator gives ${scale}`,
    {
      expected: scale,
      actual: to.scale,
    },
  )
}

const logisticTable: Table = (node, from, to, dtype) => {
  if (dtype === 'int16') {
    expectScale(node, to, 1 / 32768)
    return codeTable(dtype, dtype, sigmoid16(from.scale))
  }
  expectScale(node, to, 1 / 256)
  const { fround, exp } = Math
  return realTable(dtype, from, to, (x) => fround(1 / fround(1 + fround(exp(-x)))))
}

const tanhTable: Table = (node, from, to, dtype) => {
  if (dtype === 'int16') {
    expectScale(node, to, 1 / 32768)
    return codeTable(dtype, dtype, tanh16(from.scale))
  }
  return realTable(dtype, from, to, (x) => Math.fround(Math.tanh(x)))
}

export const relu = unaryOp('relu', ['int8', 'uint8', 'int16', 'float32'], clampTable('relu'))
export const relu6 = unaryOp('relu6', ['int8', 'uint8', 'int16', 'float32'], clampTable('relu6'))
export const reluN1To1 = unaryOp('relu_n1_to_1', ['int8', 'uint8', 'float32'], clampTable('relu_n1_to_1'))
export const leakyRelu = unaryOp('leaky_relu', ['int8', 'uint8', 'int16', 'float32'], leakyTable)
export const hardSwish = unaryOp('hard_swish', ['int8', 'uint8', 'float32'], hardSwishTable)
export const logistic = unaryOp('logistic', ['int8', 'uint8', 'int16', 'float32'], logisticTable)
export const tanh = unaryOp('tanh', ['int8', 'uint8', 'int16', 'float32'], tanhTable)
