// The normative step from an int32 accumulator to a code: every instruction set must equal it bit for bit.
//
// TFLite's default, "double rounding": gemmlowp's SaturatingRoundingDoublingHighMul, then RoundingDivideByPOT
// (gemmlowp fixedpoint/fixedpoint.h; TFLite kernels/internal/common: MultiplyByQuantizedMultiplier).
#pragma once

#include <cstdint>

#include "kernels/requantize/contract.h"

namespace lowbit::kernels {

// High 32 bits of 2ab, rounded half up.
static inline int32_t SaturatingRoundingDoublingHighMul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return static_cast<int32_t>((static_cast<int64_t>(a) * b + (int64_t{1} << 30)) >> 31);
}

// x / 2^exponent, rounded to nearest, halves away from zero; exponent in [0, 31].
static inline int32_t RoundingDivideByPot(int32_t x, int exponent) {
  const int64_t mask = (int64_t{1} << exponent) - 1;
  const int64_t remainder = x & mask;
  const int64_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return static_cast<int32_t>((static_cast<int64_t>(x) >> exponent) + (remainder > threshold ? 1 : 0));
}

static inline int32_t MultiplyByQuantizedMultiplier(int32_t x, int32_t multiplier, int left, int right) {
  const int32_t shifted =
      static_cast<int32_t>(static_cast<uint32_t>(x) << left);  // wraps, as the reference does
  return RoundingDivideByPot(SaturatingRoundingDoublingHighMul(shifted, multiplier), right);
}

// round(x * scale), halves away from zero; held to 2^20, beyond every clamp. Source: LiteRT,
// kernels/internal/reference/integer_ops/fully_connected.h.
static inline int32_t RoundOnce(int32_t x, double scale) {
  constexpr double kBeyond = 1 << 20;
  const double product = static_cast<double>(x) * scale;
  if (product >= kBeyond) return 1 << 20;
  if (product <= -kBeyond) return -(1 << 20);
  const int32_t whole = static_cast<int32_t>(product);
  const double rest = product - whole;  // exact
  return whole + (rest >= 0.5 ? 1 : 0) - (rest <= -0.5 ? 1 : 0);
}

// The stored byte for channel c.
static inline int8_t Requantize(int32_t acc, const Channels& channels, size_t c, const Output& output) {
  const int32_t x =
      static_cast<int32_t>(static_cast<uint32_t>(acc) + static_cast<uint32_t>(channels.bias[c]));
  const int64_t scaled =
      int64_t{output.zero_point} +
      (channels.rounding == Rounding::kOnce
           ? RoundOnce(x, channels.scale[c])
           : MultiplyByQuantizedMultiplier(x, channels.multiplier[c], channels.left[c], channels.right[c]));
  const int64_t code = scaled < output.low ? output.low : scaled > output.high ? output.high : scaled;
  return static_cast<int8_t>(static_cast<uint8_t>(code) ^ output.flip);
}

}  // namespace lowbit::kernels
