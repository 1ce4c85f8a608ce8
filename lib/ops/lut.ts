// Functions of one code as tables: the native steps `lut` and `lut16` only look up.

import type { FixedPoint } from '../numerics/fixed-point.js'
import { multiplyByQuantizedMultiplier } from '../numerics/fixed-point.js'
import { codeRange, type QuantizedDtype, roundHalfAway } from './activation.js'
import type { Operand, Step } from './contract.js'

export interface Affine {
  readonly scale: number
  readonly zeroPoint: number
}

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
  from: Affine,
  to: Affine,
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

/** How a piecewise table rounds its arithmetic: to float32, or not at all (double). */
export type Precision = (x: number) => number

/**
 * A real function of int16 in 512 straight pieces of 128 codes, each moved by half of its error in the middle:
 * 513 values.
 *
 * @see TFLite, kernels/internal/common.h: LUTPopulateInt16.
 */
export function piecewise(
  input: Affine,
  outputScale: number,
  transform: (x: number) => number,
  p: Precision,
): Int32Array {
  const lowest = p(input.scale * (-32768 - input.zeroPoint))
  const highest = p(input.scale * (32767 - input.zeroPoint))
  const step = p(p(highest - lowest) / 512)
  const perUnit = p(65536 / p(p(outputScale * 32767) - p(outputScale * -32768)))
  const within = (x: number) => Math.min(32767, Math.max(-32768, x))
  const scaled = (x: number) => p(p(transform(x)) * perUnit)
  return Int32Array.from({ length: 513 }, (_, i) => {
    if (i === 512) return within(roundHalfAway(scaled(highest)))
    const start = p(lowest + p(i * step))
    const here = roundHalfAway(scaled(start))
    const straight = roundHalfAway(p(p(scaled(p(lowest + p((i + 1) * step))) + here) / 2))
    const middle = roundHalfAway(scaled(p(start + p(step / 2))))
    return within(p(here - roundHalfAway(p(p(straight - middle) / 2))))
  })
}

/** All int16 codes of a function through its pieces. @see TFLite, kernels/internal/common.h: LUTLookup. */
function interpolatedTable(
  inputScale: number,
  outputScale: number,
  transform: (x: number) => number,
): Uint8Array {
  const pieces = piecewise({ scale: inputScale, zeroPoint: 0 }, outputScale, transform, Math.fround)
  return codeTable('int16', 'int16', (code) => {
    const index = 256 + (code >> 7)
    const base = pieces[index] as number
    // The slope is an int16 there: it wraps where the function falls or rises by more.
    const slope = (((pieces[index + 1] as number) - base) << 16) >> 16
    return ((base + ((slope * (code & 0x7f) + 64) >> 7)) << 16) >> 16
  })
}

/** A function that gives float32 for float32, as the reference tabulates it for the type. int16 has the zero point 0. */
export function functionTable(
  dtype: QuantizedDtype,
  from: Affine,
  to: Affine,
  transform: (x: number) => number,
): Uint8Array {
  if (dtype !== 'int16') return realTable(dtype, from, to, transform)
  return interpolatedTable(from.scale, to.scale, transform)
}
