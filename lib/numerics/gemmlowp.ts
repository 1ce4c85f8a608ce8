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
