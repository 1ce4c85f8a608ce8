// Constants of channels whose sums, with the bias alone, lie at the edges of both roundings.
#pragma once

#include <cmath>
#include <vector>

#include "guarded.h"
#include "kernels/requantize/contract.h"

namespace lowbit::testing {

struct EdgeChannels {
  // Biases near ties of codes, whole and half; in some rounds the ends of int32. The bounds are as tight as
  // they can be, so that constants take the folded form as often as they may.
  EdgeChannels(Random* random, size_t count, int the_shift, int round)
      : bias(count), multiplier(count), shift(count, the_shift), bound(count) {
    for (size_t c = 0; c < count; ++c) {
      constexpr int32_t kMultipliers[] = {1 << 30, INT32_MAX, (1 << 30) + 1, 0x60000000};
      multiplier[c] = round % 3 ? kMultipliers[random->Next() % 4] : random->Between(1 << 30, INT32_MAX);
      const double unit = multiplier[c] / 2147483648.0 * std::pow(2.0, the_shift);
      const double near = (random->Between(-260, 260) + 0.5) / unit;
      bias[c] = std::fabs(near) < 2147483000.0 ? static_cast<int32_t>(near) + random->Between(-2, 2)
                                               : static_cast<int32_t>(random->Next());
      if (round % 16 == 0) bias[c] = random->Next() % 2 ? INT32_MIN : INT32_MAX;
      bound[c] = bias[c] < 0 ? -int64_t{bias[c]} : int64_t{bias[c]};
    }
  }

  std::vector<int32_t> bias, multiplier, shift;
  std::vector<int64_t> bound;
};

// Zero points of outputs: both ends, and between.
inline int32_t EdgeZeroPoint(Random* random) {
  const uint32_t kind = random->Next() % 3;
  return kind == 0 ? -128 : kind == 1 ? 127 : random->Between(-128, 127);
}

// Every second one with a ReLU: the clamp begins at the zero point, or above it.
inline kernels::Output EdgeOutput(Random* random, uint8_t flip = 0) {
  const int32_t zero_point = EdgeZeroPoint(random);
  const uint32_t kind = random->Next() % 4;
  const int32_t low = kind == 0 ? zero_point : kind == 1 ? random->Between(zero_point, 127) : -128;
  return {zero_point, low, random->Next() % 2 ? 127 : random->Between(low, 127), flip};
}

}  // namespace lowbit::testing
