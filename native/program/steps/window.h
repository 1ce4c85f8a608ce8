// Geometry of a two-dimensional sliding window over NHWC tensors: read from a step's attributes and checked.
#pragma once

#include <algorithm>
#include <cstddef>

#include "program/step.h"

namespace lowbit::program::steps {

struct Window {
  size_t batch, in_h, in_w, channels, out_h, out_w;
  int filter_h, filter_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;

  // Row and column of the input under tap (ky, kx) of output (oy, ox); may lie outside.
  ptrdiff_t InputRow(size_t oy, int ky) const {
    return static_cast<ptrdiff_t>(oy) * stride_h - pad_top + static_cast<ptrdiff_t>(ky) * dilation_h;
  }
  ptrdiff_t InputColumn(size_t ox, int kx) const {
    return static_cast<ptrdiff_t>(ox) * stride_w - pad_left + static_cast<ptrdiff_t>(kx) * dilation_w;
  }
  bool HasRow(ptrdiff_t row) const { return row >= 0 && row < static_cast<ptrdiff_t>(in_h); }
  bool HasColumn(ptrdiff_t column) const { return column >= 0 && column < static_cast<ptrdiff_t>(in_w); }
  size_t pixels() const { return batch * out_h * out_w; }
};

// Reads strideH strideW dilationH dilationW padTop padLeft; extents come from the tensors, which must have
// rank 4 and the same batch. Any combination is safe: taps outside the input count as padding.
Status ReadWindow(const StepArgs& args, const Tensor& input, const Tensor& output, int filter_h, int filter_w,
                  Window* window);

}  // namespace lowbit::program::steps
