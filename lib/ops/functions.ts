// Mathematical functions element by element: ABS, NEG, SQUARE, SQRT, RSQRT, FLOOR, CEIL, ROUND, EXP, LOG, SIN, COS, ELU.

import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '../numerics/fixed-point.js'
import { inverseSquareRoot } from '../numerics/gemmlowp.js'
import { codeRange } from './activation.js'
import { codeTable, interpolatedTable, realTable, scaleCode } from './lut.js'
import { type Affine, type Table, unaryOp } from './unary.js'

/** The table of a real function, as the reference makes it for the type. */
const tableOf =
  (transform: (x: number, to: Affine, low: number) => number): Table =>
  (_node, from, to, dtype) => {
    const { low } = codeRange(dtype)
    const map = (x: number) => Math.fround(transform(x, to, low))
    return dtype === 'int16' ? interpolatedTable(from.scale, to.scale, map) : realTable(dtype, from, to, map)
  }

/** @see TFLite, kernels/elementwise.cc: AbsEvalQuantized. The factor is a float32 quotient. */
const absTable: Table = (_node, from, to, dtype) => {
  const factor = quantizeMultiplier(Math.fround(from.scale / to.scale))
  return codeTable(dtype, dtype, (code) => {
    const magnitude = Math.abs(code - from.zeroPoint)
    return (from.scale === to.scale ? magnitude : scaleCode(magnitude, factor)) + to.zeroPoint
  })
}

/** Numbers <= 0 have the lowest code. @see TFLite, kernels/elementwise.cc: LogLUTPrepare. */
const logTable = tableOf((x, { scale, zeroPoint }, low) => (x <= 0 ? (low - zeroPoint) * scale : Math.log(x)))

/**
 * Zero has the highest code; so have negative numbers, at which the reference stops.
 *
 * @see TFLite, kernels/elementwise.cc: RsqrtEvalQuantizedInt8. 20 bits keep the root an integer on the way.
 */
const rsqrtTable: Table = (_node, from, to, dtype) => {
  const root = Math.fround(Math.sqrt(from.scale))
  const factor = quantizeMultiplier(1 / Math.fround(root * to.scale))
  const { high } = codeRange(dtype)
  return codeTable(dtype, dtype, (code) => {
    const x = code - from.zeroPoint
    if (x <= 0) return high
    const { multiplier, shift } = x === 1 ? { multiplier: 2 ** 31 - 1, shift: 0 } : inverseSquareRoot(x)
    const inverse = multiplyByQuantizedMultiplier(1, { multiplier, shift: shift + 20 })
    const out = { multiplier: factor.multiplier, shift: Math.max(-31, factor.shift - 20) }
    return multiplyByQuantizedMultiplier(inverse, out) + to.zeroPoint
  })
}

export const abs = unaryOp('abs', ['int8', 'int16', 'float32'], absTable)
export const neg = unaryOp('neg', ['int32', 'float32'])
export const square = unaryOp('square', ['float32'])
export const sqrt = unaryOp('sqrt', ['float32'])
export const rsqrt = unaryOp('rsqrt', ['int8', 'float32'], rsqrtTable)
export const floor = unaryOp('floor', ['float32'])
export const ceil = unaryOp('ceil', ['float32'])
export const round = unaryOp('round', ['float32'])
export const exp = unaryOp('exp', ['int8', 'int16', 'float32'], tableOf(Math.exp))
export const log = unaryOp('log', ['int8', 'int16', 'float32'], logTable)
export const sin = unaryOp('sin', ['float32'])
export const cos = unaryOp('cos', ['float32'])
export const elu = unaryOp(
  'elu',
  ['int8', 'float32'],
  tableOf((x) => (x < 0 ? Math.expm1(x) : x)),
)
