// The normative rounding of quantised inference, in plain C++: every ISA's version must equal it bit for bit.
//
// Source: gemmlowp fixedpoint.h (SaturatingRoundingDoublingHighMul, RoundingDivideByPOT) and TFLite
// kernels/internal/common.h (MultiplyByQuantizedMultiplier, default build: two roundings).
// Not for files that are built with wider flags: the linker could keep their copy of an inline function.
#pragma once

#include <cstdint>

namespace lowbit::kernels::requantize {

constexpr int32_t kLowest = INT32_MIN;
constexpr int32_t kHighest = INT32_MAX;

// The high half of 2ab, rounded to nearest, halves up. Saturates for the one product that does not fit.
inline int32_t SaturatingRoundingDoublingHighMul(int32_t a, int32_t b) {
  if (a == kLowest && b == kLowest) return kHighest;
  return static_cast<int32_t>((int64_t{a} * b + (int64_t{1} << 30)) >> 31);
}

// x / 2^exponent to nearest, halves away from zero; exponent in [0, 31].
inline int32_t RoundingDivideByPot(int32_t x, int exponent) {
  const int64_t half = exponent ? int64_t{1} << (exponent - 1) : 0;
  return static_cast<int32_t>((x + half - (exponent && x < 0)) >> exponent);
}

// x * multiplier * 2^(shift - 31); multiplier >= 0, shift in [-31, 31]. The left shift wraps to int32.
inline int32_t MultiplyByQuantizedMultiplier(int32_t x, int32_t multiplier, int shift) {
  const int left = shift > 0 ? shift : 0;
  const int right = shift > 0 ? 0 : -shift;
  const int32_t shifted = static_cast<int32_t>(static_cast<uint32_t>(int64_t{x} << left));
  return RoundingDivideByPot(SaturatingRoundingDoublingHighMul(shifted, multiplier), right);
}

inline int32_t Clamp(int32_t x, int32_t low, int32_t high) { return x < low ? low : x > high ? high : x; }

// Sums that the reference computes in int32 and that a file can make overflow: they wrap here.
inline int32_t WrappingAdd(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}

}  // namespace lowbit::kernels::requantize
