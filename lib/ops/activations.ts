// Activations of their own: the RELU family, LEAKY_RELU, HARD_SWISH, LOGISTIC, TANH, ELU, GELU.
// Codes go through tables, computed here with the reference's arithmetic; float32 is computed natively.

import { erfc } from '../numerics/error-function.js'
import { quantizeMultiplier } from '../numerics/fixed-point.js'
import { codesBetween } from './activation.js'
import type { NodeContext } from './contract.js'
import { hardSwishCode } from './hard-swish.js'
import { type Affine, codeTable, functionTable, realTable, scaleCode } from './lut.js'
import { sigmoid16, tanh16 } from './sigmoid16.js'
import { type Table, unaryOp } from './unary.js'

/**
 * A clamp after rescaling. The factor is a float32 quotient.
 *
 * @see TFLite, kernels/activations.cc: QuantizedReluX.
 */
const clampTable =
  (...interval: readonly [number, number]): Table<unknown> =>
  (_node, from, to, dtype) => {
    const factor = quantizeMultiplier(Math.fround(from.scale / to.scale))
    const { low, high } = codesBetween(interval, to, dtype)
    return codeTable(dtype, dtype, (code) =>
      Math.min(high, Math.max(low, to.zeroPoint + scaleCode(code - from.zeroPoint, factor))),
    )
  }

interface Slope {
  /** Below zero. */
  readonly alpha: number
}

/** @see TFLite, kernels/internal/reference/leaky_relu.h: QuantizeLeakyRelu. Factors are float32. */
const leakyTable: Table<Slope> = ({ attributes: { alpha } }, from, to, dtype) => {
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

const hardSwishTable: Table<unknown> = (node, from, to, dtype) => {
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

const logisticTable: Table<unknown> = (node, from, to, dtype) => {
  if (dtype === 'int16') {
    expectScale(node, to, 1 / 32768)
    return codeTable(dtype, dtype, sigmoid16(from.scale))
  }
  expectScale(node, to, 1 / 256)
  const { fround, exp } = Math
  return realTable(dtype, from, to, (x) => fround(1 / fround(1 + fround(exp(-x)))))
}

const tanhTable: Table<unknown> = (node, from, to, dtype) => {
  if (dtype === 'int16') {
    expectScale(node, to, 1 / 32768)
    return codeTable(dtype, dtype, tanh16(from.scale))
  }
  return realTable(dtype, from, to, (x) => Math.fround(Math.tanh(x)))
}

interface Gelu {
  /** By a hyperbolic tangent in place of the error function. */
  readonly approximate: boolean
}

/** @see TFLite, kernels/internal/reference/gelu.h: GeluTransform, GeluTransformApproximate. All in float32. */
const geluTable: Table<Gelu> = ({ attributes }, from, to, dtype) => {
  const { fround } = Math
  const [half, root] = [0.5, fround(Math.SQRT1_2)]
  const [rootOf2OverPi, cubic] = [fround(Math.sqrt(2 / Math.PI)), fround(0.044715)]
  const exact = (x: number) => fround(fround(half * x) * fround(erfc(fround(x * -root))))
  const byTanh = (x: number) => {
    const cube = fround(fround(fround(cubic * x) * x) * x)
    const inner = fround(rootOf2OverPi * fround(x + cube))
    return fround(fround(half * x) * fround(1 + fround(Math.tanh(inner))))
  }
  return functionTable(dtype, from, to, attributes.approximate ? byTanh : exact)
}

const eluTable: Table<unknown> = (_node, from, to, dtype) =>
  functionTable(dtype, from, to, (x) => (x < 0 ? Math.fround(Math.expm1(x)) : x))

const WIDE = ['int8', 'uint8', 'int16', 'float32'] as const
const BYTES = ['int8', 'uint8', 'float32'] as const
const none = () => ({})

const infinity = Number.POSITIVE_INFINITY
export const relu = unaryOp({ name: 'relu', dtypes: WIDE, read: none, table: clampTable(0, infinity) })
export const relu6 = unaryOp({ name: 'relu6', dtypes: WIDE, read: none, table: clampTable(0, 6) })
export const reluN1To1 = unaryOp({
  name: 'relu_n1_to_1',
  dtypes: BYTES,
  read: none,
  table: clampTable(-1, 1),
})
export const relu0To1 = unaryOp({ name: 'relu_0_to_1', dtypes: BYTES, read: none, table: clampTable(0, 1) })
export const leakyRelu = unaryOp<Slope>({
  name: 'leaky_relu',
  dtypes: WIDE,
  read: (options) => ({ alpha: Number(options['alpha'] ?? 0) }),
  check(node) {
    const { alpha } = node.attributes
    if (!Number.isFinite(alpha)) throw node.fail('NOT_FINITE', `alpha is ${alpha}`, { actual: alpha })
  },
  table: leakyTable,
  parameter: ({ alpha }) => alpha,
})
export const hardSwish = unaryOp({ name: 'hard_swish', dtypes: BYTES, read: none, table: hardSwishTable })
export const logistic = unaryOp({ name: 'logistic', dtypes: WIDE, read: none, table: logisticTable })
export const tanh = unaryOp({ name: 'tanh', dtypes: WIDE, read: none, table: tanhTable })
export const elu = unaryOp({ name: 'elu', dtypes: ['int8', 'float32'], read: none, table: eluTable })
export const gelu = unaryOp<Gelu>({
  name: 'gelu',
  dtypes: WIDE,
  read: (options) => ({ approximate: Boolean(options['approximate'] ?? false) }),
  table: geluTable,
  function: ({ approximate }) => (approximate ? 'gelu_tanh' : 'gelu'),
})
