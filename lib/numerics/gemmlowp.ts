// Fixed-point functions of gemmlowp's fixedpoint.h, on int32 mantissas: value = raw * 2^(integerBits - 31).

import { roundingDivideByPot, saturatingRoundingDoublingHighMul } from './fixed-point.js'

const HIGHEST = 2 ** 31 - 1
const LOWEST = -(2 ** 31)

/** x * 2^exponent, saturating to the left, rounding to the right. */
function multiplyByPot(x: number, exponent: number): number {
  if (exponent <= 0) return roundingDivideByPot(x, -exponent)
  return Math.min(HIGHEST, Math.max(LOWEST, x * 2 ** exponent))
}

const mul = saturatingRoundingDoublingHighMul

/** exp(a) for a in [-1/4, 0), both Q0.31: a Taylor polynomial of degree 4 around -1/8. */
function expNearZero(a: number): number {
  const atMinusEighth = 1895147668
  const third = 715827883
  const x = a + 2 ** 28
  const x2 = mul(x, x)
  const x3 = mul(x2, x)
  const x4Over4 = multiplyByPot(mul(x2, x2), -2)
  const tail = multiplyByPot(mul(x4Over4 + x3, third) + x2, -1)
  return atMinusEighth + mul(atMinusEighth, x + tail)
}

/** exp(-2^k) in Q0.31 for k = -2 to 4. */
const POWERS = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242] as const

/**
 * exp(a) in Q0.31 for a <= 0 with five integer bits (Q5.26). exp(0) is 2^31 - 1.
 *
 * @see gemmlowp fixedpoint.h: exp_on_negative_values.
 */
export function expOnNegativeValues(a: number): number {
  if (a === 0) return HIGHEST
  const quarter = 2 ** 24
  const rest = (a & (quarter - 1)) - quarter
  const wholeQuarters = rest - a
  let result = expNearZero(multiplyByPot(rest, 5))
  for (const [i, factor] of POWERS.entries()) {
    if (wholeQuarters & (1 << (24 + i))) result = mul(result, factor)
  }
  return result
}

/**
 * 1 / sqrt(input) for an integer input >= 2 as `multiplier * 2^(shift - 31)`: Newton-Raphson from 1, in Q3.28.
 *
 * @see TFLite, kernels/internal/common.h: GetInvSqrtQuantizedMultiplierExp.
 */
export function inverseSquareRoot(input: number): { multiplier: number; shift: number } {
  let x = input
  let right = 11
  for (; x >= 2 ** 29; right++) x = Math.floor(x / 4)
  const pairs = Math.floor((Math.clz32(x) - 1) / 2) - 1
  right -= pairs
  x *= 4 ** pairs
  const half = multiplyByPot(x >> 1, -1)
  const threeHalves = 2 ** 28 + 2 ** 27
  let root = 2 ** 28
  for (let i = 0; i < 5; i++) {
    const cube = multiplyByPot(mul(mul(root, root), root), 6)
    root = multiplyByPot(mul(threeHalves, root) - mul(half, cube), 3)
  }
  const multiplier = mul(root, 1518500250)
  return right < 0 ? { multiplier: multiplier * 2 ** -right, shift: 0 } : { multiplier, shift: -right }
}
