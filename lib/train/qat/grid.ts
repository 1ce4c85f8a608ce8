// Grids of codes, and numbers laid on them. What is here is plain arithmetic; the tests hold the tensors to it.

import { CODE_RANGES } from '../../quantize/rules.js'
import type { LearnedGrid } from '../contract.js'

/** Lowest and highest code. */
export interface CodeRange {
  readonly low: number
  readonly high: number
}

export const ACTIVATION_CODES: CodeRange = CODE_RANGES.int8

/** Codes of symmetric weights; of 8 bits the lowest is left out, as `quantize` does. */
export function weightCodes(bits: number): CodeRange {
  const high = 2 ** (bits - 1) - 1
  return { low: bits === 8 ? -high : -high - 1, high }
}

export function roundHalfAway(x: number): number {
  return Math.sign(x) * Math.floor(Math.abs(x) + 0.5)
}

/**
 * The code of each value: `clamp(roundHalfAway(float32(x / scale)) + zeroPoint)`, as QUANTIZE does.
 *
 * @param values Output channels innermost, where the grid has a scale for each.
 */
export function codesOf(
  values: Float32Array,
  { scales, zeroPoints }: Pick<LearnedGrid, 'scales' | 'zeroPoints'>,
  { low, high }: CodeRange,
): Int8Array {
  return Int8Array.from(values, (value, i) => {
    const channel = i % scales.length
    const steps = roundHalfAway(Math.fround(value / (scales[channel] as number)))
    return Math.min(Math.max(steps + (zeroPoints[channel] as number), low), high)
  })
}

/** The numbers that codes stand for, in float32. */
export function valuesOf(
  codes: ArrayLike<number>,
  { scales, zeroPoints }: Pick<LearnedGrid, 'scales' | 'zeroPoints'>,
): Float32Array {
  return Float32Array.from(codes, (code, i) => {
    const channel = i % scales.length
    return (scales[channel] as number) * (code - (zeroPoints[channel] as number))
  })
}
