// Activations of their own: RELU, RELU6, RELU_N1_TO_1, LEAKY_RELU, HARD_SWISH, LOGISTIC, TANH.
// Codes go through tables, computed here with the reference's arithmetic; float32 is computed natively.

import type { OptionValue } from '../model/model.js'
import { quantizeMultiplier } from '../numerics/fixed-point.js'
import type { Dtype } from '../tensor/dtype.js'
import { activationRange, fusedActivation, isQuantizedDtype, type QuantizedDtype } from './activation.js'
import { codesOf, expectDtype, expectInputs, expectSameDtype } from './checks.js'
import { defineOp, type NodeContext, type StepAttribute } from './contract.js'
import { hardSwishCode } from './hard-swish.js'
import { codeTable, realTable, scaleCode, tableStep } from './lut.js'
import { sigmoid16, tanh16 } from './sigmoid16.js'

/** Numbers of the native step's functions. */
const FUNCTIONS = {
  relu: 0,
  relu6: 1,
  relu_n1_to_1: 2,
  leaky_relu: 3,
  hard_swish: 4,
  logistic: 5,
  tanh: 6,
} as const
type Name = keyof typeof FUNCTIONS

interface Attributes {
  /** Slope of LEAKY_RELU below zero. */
  readonly alpha: number
}

interface Affine {
  readonly scale: number
  readonly zeroPoint: number
}

type Table = (node: NodeContext<Attributes>, from: Affine, to: Affine, dtype: QuantizedDtype) => Uint8Array

function unaryOp(name: Name, dtypes: readonly Dtype[], table: Table) {
  return defineOp<Attributes>({
    name,
    tflite: { type: name.toUpperCase(), read: readAlpha },
    infer(node) {
      expectInputs(node, 1)
      const { shape, dtype } = node.input(0)
      expectDtype(node, node.input(0), dtypes)
      if (!Number.isFinite(node.attributes.alpha)) {
        throw node.fail('NOT_FINITE', `alpha is ${node.attributes.alpha}`, { actual: node.attributes.alpha })
      }
      return [{ shape, dtype }]
    },
    lower(node) {
      const [input, output] = [node.input(0), node.output(0)]
      const { dtype } = input
      expectSameDtype(node, input, output)
      if (isQuantizedDtype(dtype)) {
        const bytes = table(node, codesOf(node, input), codesOf(node, output), dtype)
        return { steps: [tableStep(input, output, bytes)] }
      }
      const attributes: Record<string, StepAttribute> = { op: FUNCTIONS[name] }
      if (name === 'leaky_relu') attributes['parameter'] = Float32Array.of(node.attributes.alpha)
      return { steps: [{ kind: 'unary', inputs: [input], outputs: [output], attributes, inPlace: 0 }] }
    },
  })
}

const readAlpha = (options: Readonly<Record<string, OptionValue>>): Attributes => ({
  alpha: Number(options['alpha'] ?? 0),
})

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
