// The affine law of quantised tensors, real = scale * (code - zeroPoint), on whole arrays.

import { LowbitError } from '../errors.js'

/**
 * Codes of real numbers: clamp(round(x / scale) + zeroPoint, low, high). The quotient is a float32, halves are
 * rounded away from zero, infinities clamp.
 *
 * @param codes Where the codes go, as many as `values`.
 * @throws {LowbitError} `NOT_FINITE` on NaN.
 * @see TFLite, reference/quantize.h: AffineQuantize, with TfLiteRound = std::round.
 */
export function quantizeAffine(
  values: Float32Array,
  { scale, zeroPoint, low, high }: { scale: number; zeroPoint: number; low: number; high: number },
  codes: Int8Array | Uint8Array | Int16Array,
): void {
  for (let i = 0; i < values.length; i++) {
    // The double quotient of two float32s, rounded to float32, is the float32 quotient.
    const steps = Math.fround((values[i] as number) / scale)
    if (Number.isNaN(steps)) {
      throw new LowbitError('NOT_FINITE', `value ${i} is ${values[i]}, which has no code`, {
        actual: values[i],
      })
    }
    const code = Math.trunc(steps + (steps < 0 ? -0.5 : 0.5)) + zeroPoint
    codes[i] = code < low ? low : code > high ? high : code
  }
}

/** real = scale * (code - zeroPoint), computed in double and rounded once to float32, as TFLite's DEQUANTIZE does. */
export function dequantizeAffine(
  codes: ArrayLike<number>,
  { scale, zeroPoint }: { scale: number; zeroPoint: number },
): Float32Array {
  const values = new Float32Array(codes.length)
  for (let i = 0; i < values.length; i++) values[i] = scale * ((codes[i] as number) - zeroPoint)
  return values
}

/**
 * As `dequantizeAffine` with a scale and a zero point for each index of one dimension.
 *
 * @param inner Elements that lie between two indices of the dimension (the product of the extents after it).
 */
export function dequantizeChannels(
  codes: ArrayLike<number>,
  { scale, zeroPoint, inner }: { scale: Float32Array; zeroPoint: Int32Array; inner: number },
): Float32Array {
  const values = new Float32Array(codes.length)
  for (let i = 0; i < values.length; i++) {
    const channel = Math.floor(i / inner) % scale.length
    values[i] = (scale[channel] as number) * ((codes[i] as number) - (zeroPoint[channel] ?? 0))
  }
  return values
}
