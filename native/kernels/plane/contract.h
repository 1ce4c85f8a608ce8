// Codes of two bytes by a plane: what ADD and SUB of quantised bytes are but for the reference's roundings.
//
//   out = clamp(floor((a * A + b * B + rest) / 2^(15 + shift)) + whole, low, high),  A = a_high * 2^15 + a_low
//
// Bytes have 65536 pairs in all, so whether a plane gives the reference's code for every one of them is tried
// (Find, find.h): then it is exact, without an argument about roundings.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace lowbit::kernels::plane {

// Slopes A and B are below 2^(20 + shift), and
// a and b are bytes ^ flip, as int8; the result is flipped back. Low parts and rest are not negative, rest is
// below 2^(15 + shift) <= 2^30.
struct Plane {
  int16_t a_high, b_high, a_low, b_low;
  int32_t rest, whole;  // |whole| < 2^13
  int shift;            // 1..15
  int32_t low, high;    // [-128, 127]
  uint8_t flip;
};

// `out` may be `a` or `b`.
using Kernel = void (*)(const Plane& plane, const uint8_t* a, const uint8_t* b, uint8_t* out, size_t count);

struct Row {
  const char* name;
  cpu::Isa needs;
  Kernel run;
};
struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::plane
