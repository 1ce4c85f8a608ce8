// Geometry of a two-dimensional sliding window over NHWC tensors: read from a step's attributes and checked.
#pragma once

#include <algorithm>
#include <cstddef>

#include "program/step.h"

namespace lowbit::program::steps {

class Window {
 public:
  size_t batch, in_h, in_w, channels, out_h, out_w;
  int filter_h, filter_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  // A transposed convolution: input pixel i lies under tap k of output pixel i * stride - pad + k * dilation.
  bool is_transposed = false;

  // Row and column of the input under tap (ky, kx) of output (oy, ox); may lie outside.
  ptrdiff_t InputRow(size_t oy, int ky) const { return Source(oy, ky, stride_h, dilation_h, pad_top); }
  ptrdiff_t InputColumn(size_t ox, int kx) const { return Source(ox, kx, stride_w, dilation_w, pad_left); }
  bool HasRow(ptrdiff_t row) const { return row >= 0 && row < static_cast<ptrdiff_t>(in_h); }
  bool HasColumn(ptrdiff_t column) const { return column >= 0 && column < static_cast<ptrdiff_t>(in_w); }
  size_t pixels() const { return batch * out_h * out_w; }
  // Whether some tap of some output lies outside the input.
  bool ReachesOutside() const {
    const auto last = [](size_t out, int stride, int filter, int dilation) {
      return (out > 0 ? out - 1 : 0) * static_cast<size_t>(stride) +
             static_cast<size_t>(filter - 1) * static_cast<size_t>(dilation);
    };
    return pad_top > 0 || pad_left > 0 || last(out_h, stride_h, filter_h, dilation_h) >= in_h ||
           last(out_w, stride_w, filter_w, dilation_w) >= in_w;
  }
  // 1x1 and stride 1 without padding: output pixels are the input's.
  bool IsPointwise() const {
    return filter_h == 1 && filter_w == 1 && stride_h == 1 && stride_w == 1 && pad_top == 0 &&
           pad_left == 0 && in_h == out_h && in_w == out_w && !is_transposed;
  }
  // One output pixel over all of the input, in the input's order.
  bool IsWhole() const {
    const auto covers = [](int filter, size_t in, int dilation) {
      return static_cast<size_t>(filter) == in && (filter == 1 || dilation == 1);
    };
    return pixels() == 1 && covers(filter_h, in_h, dilation_h) && covers(filter_w, in_w, dilation_w) &&
           pad_top == 0 && pad_left == 0 && !is_transposed;
  }

 private:
  ptrdiff_t Source(size_t out, int tap, int stride, int dilation, int pad) const {
    const ptrdiff_t reach = static_cast<ptrdiff_t>(tap) * dilation;
    if (!is_transposed) return static_cast<ptrdiff_t>(out) * stride - pad + reach;
    const ptrdiff_t spread = static_cast<ptrdiff_t>(out) + pad - reach;
    return spread >= 0 && spread % stride == 0 ? spread / stride : -1;
  }
};

// Reads strideH strideW dilationH dilationW padTop padLeft; extents come from the tensors, which must have
// rank 4 and the same batch. Any combination is safe: taps outside the input count as padding.
Status ReadWindow(const StepArgs& args, const Tensor& input, const Tensor& output, int filter_h, int filter_w,
                  Window* window);

}  // namespace lowbit::program::steps
