// LOGISTIC and TANH of int16 codes: interpolation in a table of the sigmoid, with tanh(x) = 2 sigmoid(2x) - 1.

/** Where the reference's table, made with less precision, exceeds the rounded sigmoid by one. */
const ONE_MORE = new Set([
  4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45,
  46, 49, 50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255,
])

/** sigmoid(i / 24) in 1/65536, for i = 0 to 255, as the reference tabulates it. */
const SIGMOID = Int32Array.from({ length: 256 }, (_, i) =>
  Math.min(65535, Math.round(65536 / (1 + Math.exp(-i / 24))) + (ONE_MORE.has(i) ? 1 : 0)),
)

/** Brings a code to the table's scale: code * multiplier, rounded to 2^shift. */
interface Prescale {
  readonly multiplier: number
  readonly shift: number
}

/**
 * @param power Exponent of two at which an input scale of exactly that power needs no general factor.
 * @see TFLite, kernels/activations.cc: TanhPrepare, SigmoidPrepare.
 */
function prescale(scale: number, fits: (shift: number) => boolean): Prescale {
  const log = Math.fround(Math.fround(Math.log(scale)) * Math.fround(1 / Math.fround(Math.log(2))))
  const rounded = Math.round(log)
  const shift = 12 + rounded
  if (Math.abs(log - rounded) < 1e-3 && fits(shift)) return { multiplier: 3 * 2 ** shift, shift: 0 }
  let multiplier = scale * 4096 * 3
  let left = 0
  for (; multiplier <= 32767 / 2 && left <= 30; left++) multiplier *= 2
  return { multiplier: Math.trunc(multiplier), shift: left }
}

function apply(code: number, { multiplier, shift }: Prescale): number {
  return Math.floor((code * multiplier + (shift > 0 ? 2 ** (shift - 1) : 0)) / 2 ** shift)
}

/** The table at |x| / 2^bits, with `bits` fraction bits in the result. */
function interpolate(magnitude: number, bits: number, beyond: number): number {
  const at = Math.floor(magnitude / 2 ** bits)
  if (at >= 255) return beyond
  const [a, b] = [SIGMOID[at] as number, SIGMOID[at + 1] as number]
  return a * 2 ** bits + (magnitude % 2 ** bits) * (b - a)
}

/** @see TFLite, kernels/internal/reference/integer_ops/logistic.h */
export function sigmoid16(scale: number): (code: number) => number {
  const factor = prescale(scale, (shift) => shift === 0)
  return (code) => {
    const x = apply(code, factor)
    const y = interpolate(Math.abs(x), 9, 0x7fff * 2 ** 10)
    return Math.floor((x >= 0 ? y + 2 ** 9 : 2 ** 25 - y + 2 ** 9 - 1) / 2 ** 10)
  }
}

/** @see TFLite, kernels/internal/reference/integer_ops/tanh.h */
export function tanh16(scale: number): (code: number) => number {
  const factor = prescale(scale, (shift) => shift === 0 || shift === 1)
  return (code) => {
    const x = apply(code, factor)
    const y = interpolate(Math.abs(x), 8, 0xffff * 2 ** 8)
    return Math.floor((x >= 0 ? y - 2 ** 23 + 2 ** 7 : -y + 2 ** 23 + 2 ** 7 - 1) / 2 ** 8)
  }
}
