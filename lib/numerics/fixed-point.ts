// Fixed-point arithmetic of quantised inference, as TFLite's reference kernels and gemmlowp define it.

/** A positive real factor as `multiplier * 2^(shift - 31)`: Q31 mantissa in [2^30, 2^31), or both 0 for the factor 0. */
export interface FixedPoint {
  readonly multiplier: number
  /** Positive shifts left, before the multiplication; negative shifts right, with rounding, after it. */
  readonly shift: number
}

const TWO_31 = 2 ** 31

/** x = fraction * 2^exponent with |fraction| in [0.5, 1); zero gives zero and 0. C's frexp. */
function frexp(x: number): { fraction: number; exponent: number } {
  if (x === 0 || !Number.isFinite(x)) return { fraction: x, exponent: 0 }
  let exponent = Math.max(-1023, Math.floor(Math.log2(Math.abs(x))) + 1)
  let fraction = x * 2 ** -exponent
  for (; Math.abs(fraction) < 0.5; exponent--) fraction *= 2
  for (; Math.abs(fraction) >= 1; exponent++) fraction /= 2
  return { fraction, exponent }
}

/**
 * The nearest fixed-point factor.
 *
 * @param factor A real number >= 0.
 * @see TFLite, kernels/internal/quantization_util: QuantizeMultiplier. Factors below 2^-32 become 0.
 */
export function quantizeMultiplier(factor: number): FixedPoint {
  if (factor === 0) return { multiplier: 0, shift: 0 }
  if (factor === Number.POSITIVE_INFINITY) return { multiplier: TWO_31 - 1, shift: 30 } // the quotient of tiny scales
  const { fraction, exponent } = frexp(factor)
  let multiplier = Math.round(fraction * TWO_31)
  let shift = exponent
  if (multiplier === TWO_31) {
    multiplier /= 2
    shift++
  }
  if (shift < -31) return { multiplier: 0, shift: 0 }
  // The reference clamps factors of 2^30 and more to the largest that it can shift.
  if (shift > 30) return { multiplier: TWO_31 - 1, shift: 30 }
  return { multiplier, shift }
}

/** Many factors at once, as the arrays that native steps take. */
export function quantizeMultipliers(factors: ArrayLike<number>): {
  multiplier: Int32Array
  shift: Int32Array
} {
  const fixed = Array.from(factors, quantizeMultiplier)
  return {
    multiplier: Int32Array.from(fixed, (f) => f.multiplier),
    shift: Int32Array.from(fixed, (f) => f.shift),
  }
}

/** gemmlowp SaturatingRoundingDoublingHighMul: the high half of 2ab, rounded half up; saturates for INT_MIN * INT_MIN. */
export function saturatingRoundingDoublingHighMul(a: number, b: number): number {
  if (a === -TWO_31 && b === -TWO_31) return TWO_31 - 1
  return Number((BigInt(a) * BigInt(b) + (1n << 30n)) >> 31n)
}

/** gemmlowp RoundingDivideByPOT: x / 2^exponent, rounded to nearest, halves away from zero; exponent in [0, 31]. */
export function roundingDivideByPot(x: number, exponent: number): number {
  const mask = 2 ** exponent - 1
  const remainder = Number(BigInt(x) & BigInt(mask))
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
