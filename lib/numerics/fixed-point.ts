// Fixed-point arithmetic of quantised inference, as TFLite's reference kernels and gemmlowp define it.

/** A positive real factor as `multiplier * 2^(shift - 31)`: Q31 mantissa in [2^30, 2^31), or both 0 for the factor 0. */
export interface FixedPoint {
  readonly multiplier: number
  /** Positive shifts left, before the multiplication; negative shifts right, with rounding, after it. */
  readonly shift: number
}

const TWO_31 = 2 ** 31

/** The bits of a float64: sign, 11 bits of exponent and the upper 20 of the mantissa are in the second word. */
const FLOAT = new Float64Array(1)
const WORDS = new Uint32Array(FLOAT.buffer)

/**
 * The nearest fixed-point factor.
 *
 * @param factor A real number >= 0.
 * @see TFLite, kernels/internal/quantization_util: QuantizeMultiplier. Factors below 2^-32 become 0.
 */
export function quantizeMultiplier(factor: number): FixedPoint {
  const { multiplier, shift } = quantizeMultipliers([factor])
  return { multiplier: multiplier[0] as number, shift: shift[0] as number }
}

/** Many factors at once, as the arrays that native steps take. A network has some ten thousand. */
export function quantizeMultipliers(factors: ArrayLike<number>): {
  multiplier: Int32Array
  shift: Int32Array
} {
  const multiplier = new Int32Array(factors.length)
  const shift = new Int32Array(factors.length)
  for (let i = 0; i < multiplier.length; i++) {
    const factor = factors[i] as number
    if (!(factor > 0)) {
      if (factor < 0) multiplier[i] = -1 // native steps refuse it
      continue
    }
    FLOAT[0] = factor
    // factor = fraction * 2^exponent with fraction in [0.5, 1); subnormal numbers come out as 2^-1022, below all.
    let exponent = ((WORDS[1] as number) >>> 20) - 1022
    let mantissa = 2 ** 31
    if (exponent >= -32 && exponent <= 30) mantissa = Math.round(factor * 2 ** (31 - exponent))
    if (mantissa === 2 ** 31) {
      mantissa = 2 ** 30
      exponent++
    }
    if (exponent < -31) continue
    // The reference clamps factors of 2^30 and more, also the quotient of tiny scales, to the largest that it can shift.
    multiplier[i] = exponent > 30 ? TWO_31 - 1 : mantissa
    shift[i] = Math.min(exponent, 30)
  }
  return { multiplier, shift }
}

/** gemmlowp SaturatingRoundingDoublingHighMul: the high half of 2ab, rounded half up; saturates for INT_MIN * INT_MIN. */
export function saturatingRoundingDoublingHighMul(a: number, b: number): number {
  if (a === -TWO_31 && b === -TWO_31) return TWO_31 - 1
  // floor((ab + 2^30) / 2^31) by halves of b, so that every product is below 2^49 and exact.
  const high = a * (b >> 16)
  const low = a * (b & 0xffff) + 2 ** 30
  const whole = Math.floor(high / 2 ** 15)
  return whole + Math.floor(((high - whole * 2 ** 15) * 2 ** 16 + low) / TWO_31)
}

/** gemmlowp RoundingDivideByPOT: x / 2^exponent, rounded to nearest, halves away from zero; exponent in [0, 31]. */
export function roundingDivideByPot(x: number, exponent: number): number {
  const mask = 2 ** exponent - 1
  const remainder = x & mask
  const threshold = Math.floor(mask / 2) + (x < 0 ? 1 : 0)
  return Math.floor(x / 2 ** exponent) + (remainder > threshold ? 1 : 0)
}

/** x * factor with TFLite's double rounding; x is an int32, the left shift wraps to int32. */
export function multiplyByQuantizedMultiplier(x: number, { multiplier, shift }: FixedPoint): number {
  const left = shift > 0 ? shift : 0
  const right = shift > 0 ? 0 : -shift
  const shifted = Number(BigInt.asIntN(32, BigInt(x) << BigInt(left)))
  return roundingDivideByPot(saturatingRoundingDoublingHighMul(shifted, multiplier), right)
}
