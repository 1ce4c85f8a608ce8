// HARD_SWISH of a code: x * relu6(x + 3) / 6 in 16-bit fixed point.

import { quantizeMultiplier } from '../numerics/fixed-point.js'

interface Affine {
  readonly scale: number
  readonly zeroPoint: number
}

const saturate = (x: number) => Math.min(32767, Math.max(-32768, x))

/** gemmlowp SaturatingRoundingDoublingHighMul for int16: (ab + 2^14) / 2^15, rounded to nearest, cut off towards zero. */
function highMul(a: number, b: number): number {
  if (a === -32768 && b === -32768) return 32767
  const product = a * b
  return Math.trunc((product + (product >= 0 ? 2 ** 14 : 1 - 2 ** 14)) / 2 ** 15)
}

/** The same without rounding: the reference cuts off here, so that the biases of the steps before cancel. */
function cutHighMul(a: number, b: number): number {
  return a === -32768 && b === -32768 ? 32767 : Math.trunc((a * b) / 2 ** 15)
}

/** x / 2^exponent to nearest, halves away from zero. */
function divideByPot(x: number, exponent: number): number {
  if (exponent === 0) return x
  return Math.floor((x + 2 ** (exponent - 1) - (x < 0 ? 1 : 0)) / 2 ** exponent)
}

/** A factor with an int16 mantissa. */
function factor16(real: number): { multiplier: number; exponent: number } {
  const { multiplier, shift } = quantizeMultiplier(real)
  const highest = 2 ** 31 - 1
  return {
    multiplier: multiplier >= highest - 2 ** 15 ? 32767 : Math.floor((multiplier + 2 ** 15) / 2 ** 16),
    exponent: shift,
  }
}

/**
 * The function from codes to codes, not yet clamped; undefined where the output's scale is finer than 1/128 of the
 * input's, which the reference refuses.
 *
 * @see TFLite, kernels/internal/reference/hard_swish.h; parameters: kernels/activations.cc: HardSwishPrepare (float32).
 */
export function hardSwishCode(from: Affine, to: Affine): ((code: number) => number) | undefined {
  const fine = Math.fround(from.scale / 128)
  const output = factor16(Math.fround(fine / to.scale))
  const reluish = factor16(Math.fround(fine / Math.fround(3 / 32768)))
  if (output.exponent > 0) return undefined
  return (code) => {
    const x = (code - from.zeroPoint) * 128
    const beforeShift = highMul(x, output.multiplier)
    // x rescaled so that 3 is 2^15, saturating; the last left shift comes after the multiplication.
    let gate = x
    if (reluish.exponent > 0) gate = saturate(gate * 2 ** (reluish.exponent - 1))
    gate = highMul(gate, reluish.multiplier)
    if (reluish.exponent > 0) gate = saturate(gate * 2)
    if (reluish.exponent < 0) gate = divideByPot(gate, -reluish.exponent)
    gate = Math.floor((gate + 2 ** 15) / 2)
    return divideByPot(cutHighMul(gate, beforeShift), -output.exponent) + to.zeroPoint
  }
}
