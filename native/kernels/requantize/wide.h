// The step from a 64-bit accumulator to an int16 code.
#pragma once

#include <cstdint>

namespace lowbit::kernels {

// Accumulator and bias: a bias of a file may be anything, the sum wraps.
static inline int64_t AddWide(int64_t sum, int64_t bias) {
  return static_cast<int64_t>(static_cast<uint64_t>(sum) + static_cast<uint64_t>(bias));
}

// x * multiplier * 2^(shift - 31), the multiplier reduced to 16 bits, one rounding half up; shift in
// [-31, 7]. Source: TFLite kernels/internal/common: MultiplyByQuantizedMultiplier(int64_t, ...). The product
// wraps to 64 bits.
static inline int32_t MultiplyWide(int64_t x, int32_t multiplier, int shift) {
  const int32_t reduced = multiplier < 0x7FFF0000 ? (multiplier + (1 << 15)) >> 16 : 0x7FFF;
  const int total = 15 - shift;
  const uint64_t product =
      static_cast<uint64_t>(x) * static_cast<uint64_t>(reduced) + (uint64_t{1} << (total - 1));
  return static_cast<int32_t>(static_cast<int64_t>(product) >> total);
}

// round(x * scale), halves away from zero; held to 2^30, beyond every clamp.
static inline int32_t RoundWideOnce(int64_t x, double scale) {
  constexpr double kBeyond = 1 << 30;
  const double product = static_cast<double>(x) * scale;
  if (product >= kBeyond) return 1 << 30;
  if (product <= -kBeyond) return -(1 << 30);
  const int32_t whole = static_cast<int32_t>(product);
  const double rest = product - whole;  // exact
  return whole + (rest >= 0.5 ? 1 : 0) - (rest <= -0.5 ? 1 : 0);
}

}  // namespace lowbit::kernels
