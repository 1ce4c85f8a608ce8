// Gathers windows of pixels into rows.
#include "program/steps/conv_gather.h"

namespace lowbit::program::steps {

namespace {

int16_t* Fill(int16_t* out, size_t count, int16_t value) {
  for (size_t i = 0; i < count; ++i) out[i] = value;
  return out + count;
}

// One row of the filter over one row of the input.
int16_t* FilterRow(const ConvGather& g, const int8_t* input_row, size_t ox, size_t group, int16_t* out) {
  const Window& w = g.window;
  const size_t c = g.group_channels;
  if (w.dilation_w == 1 && c == w.channels) {  // the taps lie side by side
    const ptrdiff_t left = w.InputColumn(ox, 0), right = left + w.filter_w;
    const ptrdiff_t from = std::min(std::max<ptrdiff_t>(left, 0), right);
    const ptrdiff_t to = std::max(std::min(right, static_cast<ptrdiff_t>(w.in_w)), from);
    out = Fill(out, static_cast<size_t>(from - left) * c, g.zero_point);
    const size_t inside = static_cast<size_t>(to - from) * c;
    if (inside) g.widen(input_row + static_cast<size_t>(from) * c, inside, g.flip, out);
    return Fill(out + inside, static_cast<size_t>(right - to) * c, g.zero_point);
  }
  for (int kx = 0; kx < w.filter_w; ++kx, out += c) {
    const ptrdiff_t column = w.InputColumn(ox, kx);
    if (w.HasColumn(column)) {
      g.widen(input_row + static_cast<size_t>(column) * w.channels + group * c, c, g.flip, out);
    } else {
      Fill(out, c, g.zero_point);
    }
  }
  return out;
}

}  // namespace

void ConvGather::Rows(const void* context, const int8_t* input, size_t group, size_t first, size_t count,
                      size_t stride, int16_t* rows) noexcept {
  const ConvGather& g = *static_cast<const ConvGather*>(context);
  const Window& w = g.window;
  if (g.is_pointwise && stride == w.channels)
    return g.widen(input + first * stride, count * stride, g.flip, rows);
  size_t ox = first % w.out_w, oy = first / w.out_w % w.out_h, b = first / w.out_w / w.out_h;
  for (size_t i = 0; i < count; ++i, rows += stride) {
    int16_t* out = rows;
    for (int ky = 0; ky < w.filter_h; ++ky) {
      const ptrdiff_t row = w.InputRow(oy, ky);
      if (w.HasRow(row)) {
        const size_t pixel = (b * w.in_h + static_cast<size_t>(row)) * w.in_w;
        out = FilterRow(g, input + pixel * w.channels, ox, group, out);
      } else {
        out = Fill(out, static_cast<size_t>(w.filter_w) * g.group_channels, g.zero_point);
      }
    }
    Fill(out, static_cast<size_t>(rows + stride - out), 0);
    if (++ox == w.out_w) {
      ox = 0;
      if (++oy == w.out_h) oy = 0, ++b;
    }
  }
}

}  // namespace lowbit::program::steps
