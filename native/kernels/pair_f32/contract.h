// Operations on two float32 operands, element by element.
#pragma once

#include <cstddef>

#include "cpu/isa.h"

namespace lowbit::kernels::pair_f32 {

// prelu: a where a >= 0, else a * b. Where one operand is NaN, kMaximum and kMinimum give b, kMaximumOrNan and
// kMinimumOrNan NaN.
enum class Operation {
  kAdd,
  kSub,
  kMul,
  kMaximum,
  kMinimum,
  kDiv,
  kSquaredDifference,
  kPrelu,
  kMaximumOrNan,
  kMinimumOrNan
};

// out = clamp(a op b, low, high), NaN unclamped. a_step and b_step are 1, or 0 for an operand that is the
// same for all `count` elements. `out` may be `a` or `b` where that operand's step is 1. Every row gives the
// same bits.
using Kernel = void (*)(const float* a, int a_step, const float* b, int b_step, float* out, size_t count,
                        float low, float high);
struct Row {
  const char* name;
  cpu::Isa needs;
  Operation operation;
  Kernel run;
};
struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::pair_f32
