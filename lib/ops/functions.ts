// Mathematical functions element by element: ABS, NEG, SQUARE, CEIL, FLOOR, ROUND, SQRT, RSQRT, EXP, LOG, SIN, COS, SIGN and LOGICAL_NOT.

import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '../numerics/fixed-point.js'
import { inverseSquareRoot } from '../numerics/gemmlowp.js'
import { codeRange } from './activation.js'
import { expectDtype, expectInputs } from './checks.js'
import { defineOp } from './contract.js'
import { codeTable, functionTable, scaleCode, tableStep } from './lut.js'
import { type Table, unaryOp } from './unary.js'

const { fround } = Math
const read = () => ({})

/** Wraps to the codes of a signed type, as its machine arithmetic does. */
const wrap = (x: number, bits: number) => (x << (32 - bits)) >> (32 - bits)

/** |x| or -x of plain integers. */
const plainTable =
  (map: (x: number) => number) =>
  (dtype: 'int8' | 'uint8' | 'int16'): Uint8Array =>
    codeTable(dtype, dtype, (code) => wrap(map(code), dtype === 'int16' ? 16 : 8))

/** |x| or -x of codes: rescaled by a float32 quotient. @see TFLite, kernels/elementwise.cc: AbsEvalQuantized. */
const rescaledTable =
  (map: (x: number) => number): Table<unknown> =>
  (_node, from, to, dtype) => {
    const factor = quantizeMultiplier(fround(from.scale / to.scale))
    return codeTable(dtype, dtype, (code) => scaleCode(map(code - from.zeroPoint), factor) + to.zeroPoint)
  }

export const abs = unaryOp({
  name: 'abs',
  dtypes: ['int8', 'int16', 'int32', 'int64', 'float32'],
  read,
  table: rescaledTable(Math.abs),
  plainTable: plainTable(Math.abs),
})

/** The reference negates codes of int8 and int16 whatever they mean; here their numbers are negated. */
export const neg = unaryOp({
  name: 'neg',
  dtypes: ['int8', 'int16', 'int32', 'int64', 'float32'],
  read,
  table: rescaledTable((x) => -x),
  plainTable: plainTable((x) => -x),
})

const expTable: Table<unknown> = (_node, from, to, dtype) =>
  functionTable(dtype, from, to, (x) => fround(Math.exp(x)))

/** Numbers without a logarithm give the lowest code. @see TFLite, kernels/elementwise.cc: LogLUTPrepare. */
const logTable: Table<unknown> = (_node, from, to, dtype) => {
  const lowest = fround((codeRange(dtype).low - to.zeroPoint) * to.scale)
  return functionTable(dtype, from, to, (x) => (x <= 0 ? lowest : fround(Math.log(x))))
}

/** The quotient is cut off, not rounded. @see TFLite, kernels/elementwise.cc: SqrtEvalQuantized. */
const sqrtTable: Table<unknown> = (_node, from, to, dtype) =>
  codeTable(dtype, dtype, (code) => {
    const root = fround(Math.sqrt(Math.max(0, fround(from.scale * (code - from.zeroPoint)))))
    return Math.trunc(fround(root / to.scale)) + to.zeroPoint
  })

/** @see TFLite, kernels/elementwise.cc: RsqrtEvalQuantizedInt8, RsqrtEvalQuantizedInt16. */
const rsqrtTable: Table<unknown> = (_node, from, to, dtype) => {
  if (dtype === 'int16') {
    const most = fround(32767 * to.scale)
    return functionTable(dtype, from, to, (x) => (x <= 0 ? most : fround(1 / fround(Math.sqrt(x)))))
  }
  const factor = quantizeMultiplier(1 / fround(fround(Math.sqrt(from.scale)) * to.scale))
  const bits = 20 // keeps the root, which is below 1, an integer
  return codeTable(dtype, dtype, (code) => {
    const x = code - from.zeroPoint
    if (x <= 0) return codeRange(dtype).high
    const root = x === 1 ? { multiplier: 2 ** 31 - 1, shift: 0 } : inverseSquareRoot(x)
    const fixed = multiplyByQuantizedMultiplier(1, { ...root, shift: root.shift + bits })
    const scaled = multiplyByQuantizedMultiplier(fixed, { ...factor, shift: factor.shift - bits })
    return scaled + to.zeroPoint
  })
}

const lowest = ({ zeroPoint }: { readonly zeroPoint: number }) => zeroPoint
const SIGNED = ['int8', 'int16', 'float32'] as const
export const exp = unaryOp({ name: 'exp', dtypes: SIGNED, read, table: expTable })
export const log = unaryOp({ name: 'log', dtypes: SIGNED, read, table: logTable })
export const sqrt = unaryOp({ name: 'sqrt', dtypes: SIGNED, read, table: sqrtTable, lowest })
export const rsqrt = unaryOp({ name: 'rsqrt', dtypes: SIGNED, read, table: rsqrtTable, lowest })

export const square = unaryOp({ name: 'square', dtypes: ['float32'], read })
export const ceil = unaryOp({ name: 'ceil', dtypes: ['float32'], read })
export const floor = unaryOp({ name: 'floor', dtypes: ['float32'], read })
export const round = unaryOp({ name: 'round', dtypes: ['float32'], read })
export const sin = unaryOp({ name: 'sin', dtypes: ['float32'], read })
export const cos = unaryOp({ name: 'cos', dtypes: ['float32'], read })
export const sign = unaryOp({ name: 'sign', dtypes: ['int32', 'float32'], read })

export const logicalNot = defineOp<Record<string, never>>({
  name: 'logical_not',
  tflite: { type: 'LOGICAL_NOT', read },
  infer(node) {
    expectInputs(node, 1)
    const { shape, dtype } = node.input(0)
    expectDtype(node, node.input(0), ['bool'])
    return [{ shape, dtype }]
  },
  lower(node) {
    const table = Uint8Array.from({ length: 256 }, (_, byte) => (byte === 0 ? 1 : 0))
    return { steps: [tableStep(node.input(0), node.output(0), table)] }
  },
})
