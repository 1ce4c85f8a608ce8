// The left-hand side of a convolution as a matrix: one row an output pixel, its window in the order of the
// filter.
#pragma once

#include "kernels/gemm/contract.h"
#include "program/steps/window.h"

namespace lowbit::program::steps {

struct ConvGather {
  Window window;
  size_t group_channels;  // input channels of one group
  kernels::gemm::Widen widen;
  int16_t zero_point;  // as int8 code; fills the padding
  uint8_t flip;
  bool is_pointwise;  // 1x1, stride 1, no padding, one group: rows are the pixels themselves

  // A `Gather` (matmul.h) with a ConvGather as its context.
  static void Rows(const void* context, const int8_t* input, size_t group, size_t first, size_t count,
                   size_t stride, int16_t* rows) noexcept;
};

}  // namespace lowbit::program::steps
