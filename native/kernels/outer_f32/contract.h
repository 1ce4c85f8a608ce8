// Sums of outer products, float32: out[m][n] += sum over lines l and places k of
// lhs[l * lhs_line + k * lhs_step + m] * rhs[l * rhs_line + k * rhs_step + n]. Both sides are read as they lie: a
// transposed matrix times a matrix, and the gradient of a convolution's filter.
//
// The order of summation and fused multiply-adds differ from kernel to kernel: what is added lies within
// (lines * depth + 1) * eps * sum of |lhs * rhs| of the exact sum.
#pragma once

#include <stddef.h>

#include "cpu/isa.h"

namespace lowbit::kernels::outer_f32 {

struct Call {
  const float *lhs, *rhs;
  ptrdiff_t lhs_line, lhs_step, rhs_line, rhs_step;  // elements
  size_t lines, depth;
  float* out;
  ptrdiff_t out_stride;  // elements from row to row
  size_t rows, cols;
};

using Kernel = void (*)(const Call&) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  int mr, nr;  // a tile: best work is shared in whole ones
  Kernel run;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::outer_f32
