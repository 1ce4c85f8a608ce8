// Logistic function and tanh of int16 fixed-point numbers, as integer LSTMs take them. A number with i
// integer bits is raw * 2^(i - 15); results have none.
//
// Source: gemmlowp fixedpoint/fixedpoint.h (exp_on_negative_values, one_over_one_plus_x_for_x_in_0_1,
// one_minus_x_over_one_plus_x_for_x_in_0_1, logistic, tanh), for int16. Its sums wrap where ours do, and its
// constants are those of int32, rounded.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/requantize/signed_shift.h"

namespace lowbit::program::steps::fixed16 {

inline int16_t Wrap(int32_t x) { return static_cast<int16_t>(static_cast<uint16_t>(x)); }

// High half of 2ab, rounded, halves away from zero; saturates for the lowest number squared.
inline int16_t Multiply(int16_t a, int16_t b) {
  if (a == INT16_MIN && b == INT16_MIN) return INT16_MAX;
  const int32_t product = int32_t{a} * b;
  return static_cast<int16_t>((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}

// x * 2^exponent: saturates to the left, rounds to the right, halves away from zero. |exponent| <= 15.
inline int16_t ScaleByPot(int16_t x, int exponent) {
  if (exponent <= 0) return static_cast<int16_t>(kernels::requantize::RoundingDivideByPot(x, -exponent));
  const int32_t y = int32_t{x} * (1 << exponent);
  return static_cast<int16_t>(std::min(INT16_MAX, std::max(INT16_MIN, y)));
}

// An int32 constant as int16.
constexpr int16_t Constant(int32_t x) {
  return static_cast<int16_t>((x >> 16) + ((x & 0xffff) > (0x7fff + (x < 0 ? 1 : 0)) ? 1 : 0));
}

// exp(x) for x <= 0 with `integer_bits` integer bits, 3 to 7.
inline int16_t ExpOfNegative(int16_t x, int integer_bits) {
  if (x == 0) return INT16_MAX;
  const int fraction_bits = 15 - integer_bits;
  // x = y - quarters / 4 with y in [-1/4, 0).
  const int16_t quarter = static_cast<int16_t>(1 << (fraction_bits - 2));
  const int16_t y = Wrap((x & (quarter - 1)) - quarter);
  const int16_t quarters = Wrap(int32_t{y} - x);

  // Taylor expansion around -1/8.
  const int16_t a = Wrap(ScaleByPot(y, integer_bits) + (1 << 12));
  const int16_t a2 = Multiply(a, a), a3 = Multiply(a2, a), a4 = Multiply(a2, a2);
  const int16_t cubes = Multiply(Wrap(ScaleByPot(a4, -2) + a3), Constant(715827883));  // 1/3
  const int16_t sum = Wrap(a + ScaleByPot(Wrap(cubes + a2), -1));
  constexpr int16_t kBase = Constant(1895147668);  // exp(-1/8)
  int16_t result = static_cast<int16_t>(std::min(INT16_MAX, kBase + Multiply(kBase, sum)));

  // exp(-2^k) for k from -2.
  constexpr int32_t kFactors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  for (int k = -2; k < std::min(integer_bits, 5); ++k) {
    if (quarters & (1 << (fraction_bits + k))) result = Multiply(result, Constant(kFactors[k + 2]));
  }
  if (integer_bits > 5 && x < Constant(-(1 << (36 - integer_bits)))) return 0;  // below -32
  return result;
}

// Newton-Raphson's 2 / (1 + x) for x in [0, 1], with 2 integer bits, from 48/17 - 32/17 d.
inline int16_t InverseOfHalfOnePlus(int16_t x) {
  const int32_t sum = int32_t{x} + INT16_MAX;
  const int16_t half_denominator = static_cast<int16_t>((sum + (sum >= 0 ? 1 : -1)) / 2);
  int16_t y = Wrap(Constant(1515870810) + Multiply(half_denominator, Constant(-1010580540)));
  for (int i = 0; i < 3; ++i) {
    const int16_t error = Wrap((1 << 13) - Multiply(half_denominator, y));
    y = Wrap(y + ScaleByPot(Multiply(y, error), 2));
  }
  return y;
}

// 1 / (1 + exp(-x)), x with 3 integer bits.
inline int16_t Logistic(int16_t x) {
  if (x == 0) return 1 << 14;
  const int16_t negative = x > 0 ? Wrap(-int32_t{x}) : x;
  const int16_t result = ScaleByPot(InverseOfHalfOnePlus(ExpOfNegative(negative, 3)), 1);
  return x > 0 ? result : Wrap(INT16_MAX - result);
}

// tanh(x), x with 0 to 6 integer bits.
inline int16_t Tanh(int16_t x, int integer_bits) {
  if (x == 0) return 0;
  const int16_t negative = x < 0 ? x : Wrap(-int32_t{x});
  // 2x has the same bits with one more integer bit.
  const int16_t inverse = InverseOfHalfOnePlus(ExpOfNegative(negative, integer_bits + 1));
  const int16_t result = ScaleByPot(Wrap(inverse - (1 << 13)), 2);
  return x < 0 ? Wrap(-int32_t{result}) : result;
}

}  // namespace lowbit::program::steps::fixed16
