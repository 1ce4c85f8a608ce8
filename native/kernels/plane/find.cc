// With slopes of 30 bits, each pair bounds the constant from one side or both; any constant between all of
// these bounds serves.
#include "kernels/plane/find.h"

#include <algorithm>
#include <cmath>

namespace lowbit::kernels::plane {

bool Find(double slope_a, double slope_b, const std::vector<int8_t>& codes, int32_t low, int32_t high,
          Plane* plane) {
  const double steepest = std::max(std::fabs(slope_a), std::fabs(slope_b));
  if (!(steepest > 1e-6 && steepest < 32)) return false;
  int exponent;
  std::frexp(steepest, &exponent);                // steepest < 2^exponent
  const int scale = std::min(29 - exponent, 30);  // slopes below 2^29, which rounding may reach
  if (scale < 16) return false;
  const int64_t a = std::llround(std::ldexp(slope_a, scale)), b = std::llround(std::ldexp(slope_b, scale));
  const int64_t one = int64_t{1} << scale;
  int64_t least = INT64_MIN, most = INT64_MAX;  // of the constant
  for (int x = -128; x < 128; ++x) {
    const int8_t* line = codes.data() + (x + 128) * 256;
    for (int y = -128; y < 128; ++y) {
      const int64_t value = x * a + y * b, code = line[y + 128];
      if (code > low) least = std::max(least, code * one - value);
      if (code < high) most = std::min(most, (code + 1) * one - value - 1);
    }
  }
  if (low >= high || least > most || least == INT64_MIN || most == INT64_MAX) return false;
  const int64_t constant = least + (most - least) / 2;
  const int64_t whole = (constant - (constant & (one - 1))) / one;
  if (whole <= -(1 << 13) || whole >= 1 << 13) return false;
  plane->a_high = static_cast<int16_t>((a - (a & 0x7FFF)) / (1 << 15));
  plane->b_high = static_cast<int16_t>((b - (b & 0x7FFF)) / (1 << 15));
  plane->a_low = static_cast<int16_t>(a & 0x7FFF);
  plane->b_low = static_cast<int16_t>(b & 0x7FFF);
  plane->rest = static_cast<int32_t>(constant & (one - 1));
  plane->whole = static_cast<int32_t>(whole);
  plane->shift = scale - 15;
  plane->low = low;
  plane->high = high;
  return true;
}

}  // namespace lowbit::kernels::plane
