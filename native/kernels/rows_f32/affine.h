// The scale and zero point of an asymmetrically quantised row, for all instruction sets.
#pragma once

#include <math.h>
#include <stdint.h>

namespace lowbit::kernels::rows_f32 {

struct Affine {
  float scale;
  int32_t zero_point;
};

// Of values in [least, most], least <= 0 <= most, least < most.
static inline Affine AffineOf(float least, float most) {
  const double low = least, high = most, step = static_cast<double>(most - least) / 255;
  const double from_low = -128 - low / step, from_high = 127 - high / step;
  const double error_low = 128 + fabs(low / step), error_high = 127 + fabs(high / step);
  const double zero = error_low < error_high ? from_low : from_high;
  const int32_t zero_point = !(zero > -128) ? -128 : zero >= 127 ? 127 : static_cast<int32_t>(round(zero));
  return {static_cast<float>(step), zero_point};
}

}  // namespace lowbit::kernels::rows_f32
