// Operations on two operands, element by element, quantised: ADD, SUB and MUL of codes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace lowbit::kernels::elementwise {

// A fixed-point factor: multiplier * 2^(shift - 31); multiplier in [0, 2^31), shift in [-31, 30].
struct Factor {
  int32_t multiplier;
  int shift;
};

// add: out = zero_point + output_factor * (a_factor * ((a - a_zero) << left_shift) + b_sign * (b alike)),
//      clamped. The factors of a and b shift right only (shift <= 0).
// squared difference (8 bits only): as add, but of the square of the difference; b_sign is -1.
// mul: out = zero_point + output_factor * ((a - a_zero) * (b - b_zero)), clamped; a_factor and b_factor are
//      not read.
// The zero points lie in the codes' range, so differences of bytes stay in [-255, 255]; those of s16 are 0. In s16 the
// factors of a and b are at most 1/2.
struct Params {
  int left_shift;  // 20 for bytes, 15 for s16, 7 for squared differences
  int32_t a_zero, b_zero;
  Factor a, b, output;
  int b_sign;  // 1, or -1 to subtract
  int32_t zero_point, low, high;
};

enum class Kind { kAddS8, kAddU8, kAddS16, kMulS8, kMulU8, kMulS16, kSquaredDifferenceS8 };

// a_step and b_step are 1, or 0 for an operand that is the same for all `count` elements. `out` may be `a` or
// `b` where that operand's step is 1.
using Kernel = void (*)(const Params&, const void* a, int a_step, const void* b, int b_step, void* out,
                        size_t count);
struct Row {
  const char* name;
  cpu::Isa needs;
  Kind kind;
  bool left_shifts;  // whether output.shift may be positive
  Kernel run;
};
struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::elementwise
