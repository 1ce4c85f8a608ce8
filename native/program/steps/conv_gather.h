// The left-hand side of a convolution as a matrix: one row an output pixel, its window in the order of the
// filter.
#pragma once

#include <cstring>

#include "kernels/gemm/contract.h"
#include "kernels/gemm_u8/contract.h"
#include "program/steps/window.h"

namespace lowbit::program::steps {

// Copies codes as int16, by a kernel.
struct WidenCodes {
  using Source = int8_t;
  using Lhs = int16_t;
  kernels::gemm::Widen widen;
  uint8_t flip;
  void operator()(const int8_t* from, size_t count, int16_t* to) const { widen(from, count, flip, to); }
};

// Copies codes as code + 128, by a kernel.
struct OffsetCodes {
  using Source = int8_t;
  using Lhs = uint8_t;
  kernels::gemm_u8::Copy copy;
  uint8_t mask;
  void operator()(const int8_t* from, size_t count, uint8_t* to) const { copy(from, count, mask, to); }
};

// Copies elements as they are.
template <typename T>
struct CopyPlain {
  using Source = T;
  using Lhs = T;
  void operator()(const T* from, size_t count, T* to) const { std::memcpy(to, from, count * sizeof(T)); }
};

template <typename Copy>
struct ConvGather {
  using Source = typename Copy::Source;
  using Lhs = typename Copy::Lhs;

  Window window;
  size_t group_channels;  // input channels of one group
  Copy copy;
  Lhs padding;  // what taps outside the input count as

  ConvGather(const Window& the_window, size_t the_group_channels, Copy the_copy, Lhs the_padding)
      : window(the_window), group_channels(the_group_channels), copy(the_copy), padding(the_padding) {
    const Window& w = window;
    // 1x1, stride 1, no padding, one group: rows are the pixels themselves.
    is_pointwise_ = w.filter_h == 1 && w.filter_w == 1 && w.stride_h == 1 && w.stride_w == 1 &&
                    w.pad_top == 0 && w.pad_left == 0 && w.in_h == w.out_h && w.in_w == w.out_w &&
                    group_channels == w.channels;
  }

  // A `Gather` (matmul.h) with a ConvGather as its context.
  static void Rows(const void* context, const void* input, size_t group, size_t first, size_t count,
                   size_t stride, Lhs* rows) noexcept {
    const ConvGather& self = *static_cast<const ConvGather*>(context);
    self.Write(static_cast<const Source*>(input), group, first, count, stride, rows);
  }

 private:
  static Lhs* Fill(Lhs* out, size_t count, Lhs value) {
    for (size_t i = 0; i < count; ++i) out[i] = value;
    return out + count;
  }

  void Write(const Source* input, size_t group, size_t first, size_t count, size_t stride, Lhs* rows) const {
    const Window& w = window;
    if (is_pointwise_ && stride == w.channels) return copy(input + first * stride, count * stride, rows);
    size_t ox = first % w.out_w, oy = first / w.out_w % w.out_h, b = first / w.out_w / w.out_h;
    for (size_t i = 0; i < count; ++i, rows += stride) {
      Lhs* out = rows;
      for (int ky = 0; ky < w.filter_h; ++ky) {
        const ptrdiff_t row = w.InputRow(oy, ky);
        if (w.HasRow(row)) {
          const size_t pixel = (b * w.in_h + static_cast<size_t>(row)) * w.in_w;
          out = FilterRow(input + pixel * w.channels, ox, group, out);
        } else {
          out = Fill(out, static_cast<size_t>(w.filter_w) * group_channels, padding);
        }
      }
      Fill(out, static_cast<size_t>(rows + stride - out), 0);
      if (++ox == w.out_w) {
        ox = 0;
        if (++oy == w.out_h) oy = 0, ++b;
      }
    }
  }

  // One row of the filter over one row of the input.
  Lhs* FilterRow(const Source* input_row, size_t ox, size_t group, Lhs* out) const {
    const Window& w = window;
    const size_t c = group_channels;
    if (w.dilation_w == 1 && c == w.channels && !w.is_transposed) {  // the taps lie side by side
      const ptrdiff_t left = w.InputColumn(ox, 0), right = left + w.filter_w;
      const ptrdiff_t from = std::min(std::max<ptrdiff_t>(left, 0), right);
      const ptrdiff_t to = std::max(std::min(right, static_cast<ptrdiff_t>(w.in_w)), from);
      out = Fill(out, static_cast<size_t>(from - left) * c, padding);
      const size_t inside = static_cast<size_t>(to - from) * c;
      if (inside) copy(input_row + static_cast<size_t>(from) * c, inside, out);
      return Fill(out + inside, static_cast<size_t>(right - to) * c, padding);
    }
    for (int kx = 0; kx < w.filter_w; ++kx, out += c) {
      const ptrdiff_t column = w.InputColumn(ox, kx);
      if (w.HasColumn(column)) {
        copy(input_row + static_cast<size_t>(column) * w.channels + group * c, c, out);
      } else {
        Fill(out, c, padding);
      }
    }
    return out;
  }

  bool is_pointwise_ = false;
};

}  // namespace lowbit::program::steps
