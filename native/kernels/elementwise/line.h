// ADD and SUB as a line through the codes: value = a * code_a + b * code_b + offset in float32, and MUL as one
// through the products: value = a * product + offset. Near enough to the reference's sequence of roundings that
// both round to the same code, but near ties.
//
// Bound of sums, in units of the result: each operand's fixed-point value lies within 1 of its real one, their sum
//        within 2, its product within 2.5, and a unit of these is 2^-e with the result's shift e: 2.5 * 2^-e.
//        Float32: constants and sums are rounded, each by 2^-24 of at most 255 (|a| + |b|) + |offset|, at most
//        three times. The limit takes 3 and 4 of them. A value whose distance from the nearest integer is
//        below the limit rounds as the reference does; others are left to the exact sequence.
// Bound of products: exact in float32, for |product| <= 255^2 < 2^24; times the factor within 0.5 of a unit of
//        2^-e, and three roundings by 2^-24 of at most 255^2 |a| + |offset|. The limit takes 0.6 and 4 of them.
#pragma once

#include <math.h>

#include "kernels/elementwise/contract.h"

namespace lowbit::kernels::elementwise {
namespace {

struct Line {
  float a, b, offset;
  float limit;  // of |value - rounded value|; 0 where so much would be left over that the line does not pay
};

inline Line LineOf(const Params& p) {
  const auto factor = [](const Factor& f) { return ldexp(static_cast<double>(f.multiplier), f.shift - 31); };
  const double scale = ldexp(factor(p.output), p.left_shift);
  const double a = factor(p.a) * scale, b = p.b_sign * factor(p.b) * scale;
  const double offset = p.zero_point - a * p.a_zero - b * p.b_zero;
  const double size = 255 * (fabs(a) + fabs(b)) + fabs(offset);
  const double doubt = ldexp(3.0, p.output.shift) + ldexp(4 * size, -24);
  constexpr double kMostDoubt = 1.0 / 1024;
  return {static_cast<float>(a), static_cast<float>(b), static_cast<float>(offset),
          static_cast<float>(doubt < kMostDoubt ? 0.5 - doubt : 0)};
}

// For kind mul; b is not used. Its shift is small and doubt more common, which smaller blocks bear.
inline Line ProductLineOf(const Params& p) {
  const double a = ldexp(static_cast<double>(p.output.multiplier), p.output.shift - 31);
  const double size = 255.0 * 255.0 * a + fabs(static_cast<double>(p.zero_point));
  const double doubt = ldexp(0.6, p.output.shift) + ldexp(4 * size, -24);
  constexpr double kMostDoubt = 1.0 / 128;
  return {static_cast<float>(a), 0, static_cast<float>(p.zero_point),
          static_cast<float>(doubt < kMostDoubt ? 0.5 - doubt : 0)};
}

// Counts blocks that the line left over. Where they are many (scales that make ties common), it is given up.
struct LeftOver {
  size_t blocks = 0;
  bool TooMany(size_t all) const { return 3 * blocks > all + 32; }
};

}  // namespace
}  // namespace lowbit::kernels::elementwise
