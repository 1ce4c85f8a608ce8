// Float32 depthwise convolution with a small square filter, a few output rows a call.
//
//   out[y][x][c] = clamp(bias[c] + sum over ky, kx of rows[y][ky][x * stride - pad_left + kx][c] * weights[ky][kx][c])
//
// A kernel walks along the rows and adds each column of the input, read once, to all the sums it belongs to.
// Columns outside [0, in_w) count as zeros; a row outside is one of zeros. Sums may differ in their order and in
// fused multiply-adds; NaN passes through the clamp. Other filters, strides and dilations: kernels/depthwise_f32.
#pragma once

#include <cstddef>

#include "cpu/isa.h"

namespace lowbit::kernels::depthwise_rows_f32 {

struct Call {
  const float* const* rows;  // count x filter; each is in_w x channels values
  const float* weights;      // filter x filter x channels
  const float* bias;
  float* out;  // count x out_w x channels
  size_t count, in_w, out_w, channels;
  ptrdiff_t pad_left;
  float low, high;
};

using Kernel = void (*)(const Call&) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  int filter, stride;
  Kernel run;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::depthwise_rows_f32
