// Quantises rows of float activations.
#include "program/steps/quantize_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace lowbit::program::steps {

namespace {

// To the nearest integer, halves away from zero, as the sum x + 0.5 in float cut off (so that the float below
// one half gives 1, as in the source's vector code); held to 2^30, where NaN goes too.
int32_t Round(float x) {
  constexpr float kBeyond = 1 << 30;
  if (!(x < kBeyond)) return 1 << 30;
  if (x <= -kBeyond) return -(1 << 30);
  return static_cast<int32_t>(x + (x < 0 ? -0.5f : 0.5f));
}

int8_t Clamp(int32_t code, int32_t low) { return static_cast<int8_t>(std::min(127, std::max(low, code))); }

}  // namespace

void QuantizeRowSymmetric(const float* values, size_t count, int8_t* codes, float* scale) {
  float range = 0;
  for (size_t i = 0; i < count; ++i) range = std::max(range, std::fabs(values[i]));
  if (!(range > 0)) {
    std::memset(codes, 0, count);
    *scale = 1;
    return;
  }
  *scale = range / 127;
  const float inverse = 127 / range;
  for (size_t i = 0; i < count; ++i) codes[i] = Clamp(Round(values[i] * inverse), -127);
}

void QuantizeRowAsymmetric(const float* values, size_t count, int8_t* codes, float* scale,
                           int32_t* zero_point) {
  float least = 0, most = 0;
  for (size_t i = 0; i < count; ++i) {
    least = std::min(least, values[i]);
    most = std::max(most, values[i]);
  }
  if (!(least < most)) {
    std::memset(codes, 0, count);
    *scale = 1;
    *zero_point = 0;
    return;
  }
  const double low = least, high = most, step = static_cast<double>(most - least) / 255;
  const double from_low = -128 - low / step, from_high = 127 - high / step;
  const double error_low = 128 + std::fabs(low / step), error_high = 127 + std::fabs(high / step);
  const double zero = error_low < error_high ? from_low : from_high;
  *zero_point = !(zero > -128) ? -128 : zero >= 127 ? 127 : static_cast<int32_t>(std::round(zero));
  *scale = static_cast<float>(step);
  const float inverse = 1.0f / *scale;
  for (size_t i = 0; i < count; ++i) {
    codes[i] = Clamp(*zero_point + Round(values[i] * inverse), -128);
  }
}

}  // namespace lowbit::program::steps
