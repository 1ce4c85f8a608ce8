// 1 / sqrt(x) of an integer as a fixed-point factor.

import { type FixedPoint, saturatingRoundingDoublingHighMul as mul } from './fixed-point.js'
import { multiplyByPot } from './gemmlowp.js'

/** sqrt(1/2) in Q0.31. */
const ROOT_OF_HALF = 1518500250

/**
 * Five rounds of Newton's method from 1, in Q3.28.
 *
 * @param x 0 to 2^31 - 1; 0 counts as 1.
 * @see TFLite, kernels/internal/common.h: GetInvSqrtQuantizedMultiplierExp.
 */
export function inverseSqrt(x: number): FixedPoint {
  if (x <= 1) return { multiplier: 2 ** 31 - 1, shift: 0 }
  let [input, right] = [x, 11]
  for (; input >= 2 ** 29; right++) input = Math.floor(input / 4)
  const pairs = Math.floor((Math.clz32(input) - 1) / 2) - 1
  input *= 4 ** pairs
  right -= pairs
  const half = multiplyByPot(input >> 1, -1)
  const threeHalves = 2 ** 28 + 2 ** 27
  let guess = 2 ** 28
  for (let i = 0; i < 5; i++) {
    const cube = multiplyByPot(mul(mul(guess, guess), guess), 6)
    guess = multiplyByPot(mul(threeHalves, guess) - mul(half, cube), 3)
  }
  const multiplier = mul(guess, ROOT_OF_HALF)
  return right < 0 ? { multiplier: multiplier * 2 ** -right, shift: 0 } : { multiplier, shift: -right }
}
