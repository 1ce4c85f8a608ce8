// The normative rounding of scalar.h for steps whose factor is one multiplier and TFLite's signed shift.
// Not for files that are built with wider flags.
#pragma once

#include <cstdint>

#include "kernels/requantize/scalar.h"

namespace lowbit::kernels::requantize {

using kernels::RoundingDivideByPot;
using kernels::SaturatingRoundingDoublingHighMul;

// x * multiplier * 2^(shift - 31); multiplier >= 0, shift in [-31, 30]. The left shift wraps to int32.
inline int32_t MultiplyByQuantizedMultiplier(int32_t x, int32_t multiplier, int shift) {
  return kernels::MultiplyByQuantizedMultiplier(x, multiplier, shift > 0 ? shift : 0, shift > 0 ? 0 : -shift);
}

inline int32_t Clamp(int32_t x, int32_t low, int32_t high) { return x < low ? low : x > high ? high : x; }

// Sums that the reference computes in int32 and that a file can make overflow: they wrap here.
inline int32_t WrappingAdd(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}

}  // namespace lowbit::kernels::requantize
