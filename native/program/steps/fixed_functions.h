// Functions of fixed-point numbers that steps compute while running. value = raw * 2^(integer bits -
// 31).
//
// Source: gemmlowp fixedpoint.h (one_over_one_plus_x_for_x_in_0_1, exp_on_negative_values), TFLite
// kernels/internal/common.h
// (log_x_for_x_greater_than_or_equal_to_1). Sums wrap as the reference's int32 ones do.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/requantize/signed_shift.h"

namespace lowbit::program::steps {

using kernels::requantize::Clamp;
using kernels::requantize::RoundingDivideByPot;
using kernels::requantize::WrappingAdd;

inline int32_t HighMul(int32_t a, int32_t b) {
  return kernels::requantize::SaturatingRoundingDoublingHighMul(a, b);
}

// x * 2^exponent for |exponent| <= 31: saturates to the left, rounds to the right.
inline int32_t ScaleByPot(int32_t x, int exponent) {
  if (exponent <= 0) return RoundingDivideByPot(x, -exponent);
  const int64_t y = int64_t{x} * (int64_t{1} << exponent);
  return y > INT32_MAX ? INT32_MAX : y < INT32_MIN ? INT32_MIN : static_cast<int32_t>(y);
}

inline int LeadingZeros(uint32_t x) {
  int n = 0;
  for (uint32_t bit = 1u << 31; bit && !(x & bit); bit >>= 1) ++n;
  return n;
}

// (a + b) / 2, halves away from zero.
inline int32_t RoundingHalfSum(int32_t a, int32_t b) {
  const int64_t sum = int64_t{a} + b;
  return static_cast<int32_t>((sum + (sum >= 0 ? 1 : -1)) / 2);
}

// 1 / (1 + x) for x in [0, 1), both Q0.31: Newton-Raphson on the half denominator, in Q2.29, from 48/17 -
// 32/17 d.
inline int32_t InverseOfOnePlus(int32_t x) {
  constexpr int32_t k48Over17 = 1515870810, kMinus32Over17 = -1010580540, kOne = 1 << 29;
  const int32_t half_denominator = RoundingHalfSum(x, INT32_MAX);
  int32_t y = WrappingAdd(k48Over17, HighMul(half_denominator, kMinus32Over17));
  for (int i = 0; i < 3; ++i) {
    const int32_t error = WrappingAdd(kOne, -HighMul(half_denominator, y));
    y = WrappingAdd(y, ScaleByPot(HighMul(y, error), 2));
  }
  return ScaleByPot(y, 1);
}

// exp(a) for a in [-1/4, 0), both Q0.31: a Taylor polynomial of degree 4 around -1/8.
inline int32_t ExpNearZero(int32_t a) {
  constexpr int32_t kExpOfMinusEighth = 1895147668, kThird = 715827883;
  const int32_t x = a + (1 << 28);
  const int32_t square = HighMul(x, x), cube = HighMul(square, x);
  const int32_t quarter_of_fourth = ScaleByPot(HighMul(square, square), -2);
  const int32_t tail = ScaleByPot(HighMul(quarter_of_fourth + cube, kThird) + square, -1);
  return kExpOfMinusEighth + HighMul(kExpOfMinusEighth, x + tail);
}

// exp(a) in Q0.31 for a <= 0 in Q5.26: the last quarter by itself, the others by the bits of their number.
inline int32_t ExpOfNegative(int32_t a) {
  if (a == 0) return INT32_MAX;
  constexpr int32_t kQuarter = 1 << 24;
  // exp(-2^k) for k = -2 to 4.
  constexpr int32_t kPowers[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  const int32_t rest = (a & (kQuarter - 1)) - kQuarter, quarters = rest - a;
  int32_t result = ExpNearZero(ScaleByPot(rest, 5));
  for (int i = 0; i < 7; ++i)
    if (quarters & (kQuarter << i)) result = HighMul(result, kPowers[i]);
  return result;
}

// log(x) in Q5.26 for x >= 1 in Q12.19: x = 2^k * r with r near the fourth root of 1/2, found by two
// candidates a quarter of an octave either way; log(r) by a rational function of q = 2 (r - root).
inline int32_t LogOfQ12(int32_t x) {
  constexpr int32_t kLog2 = 1488522236, kFourthRootOfHalf = 1805811301, kRootOfHalf = 1518500250;
  constexpr int32_t kAlphaN = 117049297, kAlphaD = 127690142, kAlphaI = 1057819769, kAlphaF = 638450708;
  constexpr int kInputBits = 12, kSumBits = 6;  // Q6.25 while adding
  const int32_t quarter = RoundingDivideByPot(1 << 29, kSumBits);

  const int zeros_a = LeadingZeros(static_cast<uint32_t>(x));
  const int32_t r_a = ScaleByPot(HighMul(ScaleByPot(x, zeros_a - 1), kRootOfHalf), 1);
  const int32_t power_a = WrappingAdd(ScaleByPot(kInputBits - zeros_a, 31 - kSumBits), quarter);
  const int zeros_b = LeadingZeros(static_cast<uint32_t>(HighMul(x, kRootOfHalf))) - 1;
  const int32_t r_b = ScaleByPot(x, std::min(zeros_b, 31));
  const int32_t power_b = WrappingAdd(ScaleByPot(kInputBits - zeros_b, 31 - kSumBits), -quarter);
  const int32_t r = std::min(r_a, r_b);
  const int32_t power = std::max(power_a, power_b);

  const int32_t p = RoundingHalfSum(r, kFourthRootOfHalf);
  const int32_t half_q = WrappingAdd(r, -kFourthRootOfHalf);
  const int32_t q = WrappingAdd(half_q, half_q);
  const int32_t square = HighMul(q, q);
  const int32_t numerator = WrappingAdd(HighMul(q, r), HighMul(HighMul(q, square), kAlphaN));
  const int32_t denominator_less_one = WrappingAdd(
      HighMul(p, WrappingAdd(WrappingAdd(kAlphaI, q), HighMul(kAlphaD, square))), HighMul(kAlphaF, q));
  const int32_t inverse = InverseOfOnePlus(denominator_less_one);
  const int32_t fraction = HighMul(RoundingDivideByPot(numerator, kSumBits), inverse);
  return ScaleByPot(WrappingAdd(HighMul(power, kLog2), fraction), 1);
}

// 1 / sqrt(x) as multiplier * 2^(shift - 31), shift <= 0; x below 1 counts as 1. Five rounds of Newton's
// method from 1, in Q3.28. Source: TFLite kernels/internal/common.h (GetInvSqrtQuantizedMultiplierExp).
struct InverseSqrt {
  int32_t multiplier;
  int shift;
};

inline InverseSqrt InverseSqrtOf(int32_t x) {
  if (x <= 1) return {INT32_MAX, 0};
  constexpr int32_t kRootOfHalf = 1518500250, kThreeHalves = (1 << 28) + (1 << 27);
  int right = 11;
  for (; x >= 1 << 29; ++right) x /= 4;
  const int pairs = (LeadingZeros(static_cast<uint32_t>(x)) - 1) / 2 - 1;
  x <<= 2 * pairs;
  right -= pairs;
  const int32_t half = ScaleByPot(x >> 1, -1);
  int32_t guess = 1 << 28;
  for (int i = 0; i < 5; ++i) {
    const int32_t cube = ScaleByPot(HighMul(HighMul(guess, guess), guess), 6);
    guess = ScaleByPot(WrappingAdd(HighMul(kThreeHalves, guess), -HighMul(half, cube)), 3);
  }
  const int32_t multiplier = HighMul(guess, kRootOfHalf);
  if (right < 0) return {static_cast<int32_t>(static_cast<uint32_t>(multiplier) << -right), 0};
  return {multiplier, -right};
}

}  // namespace lowbit::program::steps
