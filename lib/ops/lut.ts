// Functions of one code as tables: the native steps `lut` and `lut16` only look up.

import type { FixedPoint } from '../numerics/fixed-point.js'
import { multiplyByQuantizedMultiplier } from '../numerics/fixed-point.js'
import { codeRange, type QuantizedDtype, roundHalfAway } from './activation.js'
import type { Operand, Step } from './contract.js'

/** A table over all codes of a type, in the order of their bits; results are clamped to the output's codes. */
export function codeTable(
  from: QuantizedDtype,
  to: QuantizedDtype,
  map: (code: number) => number,
): Uint8Array {
  const { low, high } = codeRange(from)
  const range = codeRange(to)
  const bytes = from === 'int16' ? 2 : 1
  const table = new Uint8Array(bytes * (high - low + 1))
  const view = new DataView(table.buffer)
  for (let code = low; code <= high; code++) {
    const result = Math.min(range.high, Math.max(range.low, map(code)))
    if (bytes === 1) view.setUint8(code & 0xff, result)
    else view.setUint16(2 * (code & 0xffff), result, true)
  }
  return table
}

/** The step that maps every code through a table. */
export function tableStep(input: Operand, output: Operand, table: Uint8Array): Step {
  return {
    kind: table.length === 256 ? 'lut' : 'lut16',
    inputs: [input],
    outputs: [output],
    attributes: { table },
    inPlace: 0,
  }
}

/** A real function of a code as the reference tabulates it: every operation rounds to float32. */
export function realTable(
  dtype: 'int8' | 'uint8',
  from: { readonly scale: number; readonly zeroPoint: number },
  to: { readonly scale: number; readonly zeroPoint: number },
  transform: (x: number) => number,
): Uint8Array {
  const inverse = Math.fround(1 / to.scale)
  return codeTable(dtype, dtype, (code) => {
    const real = Math.fround(from.scale * (code - from.zeroPoint))
    const steps = roundHalfAway(Math.fround(transform(real) * inverse))
    return Math.trunc(Math.fround(steps + to.zeroPoint))
  })
}

/** `multiplyByQuantizedMultiplier` for |x| < 2^17, in doubles where they are exact: tables of int16 take 65536 of these. */
export function scaleCode(x: number, fixed: FixedPoint): number {
  const { multiplier, shift } = fixed
  if (shift > 4) return multiplyByQuantizedMultiplier(x, fixed)
  // |x * 2^4 * multiplier| < 2^52.
  const high = Math.floor((x * 2 ** Math.max(0, shift) * multiplier + 2 ** 30) / 2 ** 31)
  if (shift >= 0) return high
  const half = 2 ** (-shift - 1)
  return Math.floor((high + half - (high < 0 ? 1 : 0)) / 2 ** -shift)
}
