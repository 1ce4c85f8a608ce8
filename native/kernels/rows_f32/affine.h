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
  const double step = static_cast<double>(most - least) / 255, low = least / step, high = most / step;
  // From the end whose sum has the smaller error, as the source puts it.
  const double zero = 128 + fabs(low) < 127 + fabs(high) ? -128 - low : 127 - high;
  if (!(zero > -128)) return {static_cast<float>(step), -128};
  if (zero >= 127) return {static_cast<float>(step), 127};
  const int32_t whole = static_cast<int32_t>(zero);
  const double rest = zero - whole;  // exact; halves away from zero
  return {static_cast<float>(step), whole + (rest >= 0.5 ? 1 : 0) - (rest <= -0.5 ? 1 : 0)};
}

}  // namespace lowbit::kernels::rows_f32
