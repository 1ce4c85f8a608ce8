// The left-hand side of a convolution: one row an output pixel, its window in the order of the filter.
//
// Three ways, the first that serves:
//   view    no tap lies outside the input and elements are read as they are: rows point into the input
//   band    the lines of input under a block of output are copied once, with a border of padding, and rows
//           point into that copy
//   gather  transposed convolutions: each row is put together
#pragma once

#include <algorithm>

#include "program/steps/row_source.h"
#include "program/steps/window.h"

namespace lowbit::program::steps {

template <typename Copy>
class ConvRows final : public RowSource<typename Copy::Lhs> {
 public:
  using Source = typename Copy::Source;
  using Lhs = typename Copy::Lhs;
  Copy copy;

  ConvRows(const Window& window, size_t groups, Copy the_copy) : copy(the_copy), window_(window) {
    const Window& w = window_;
    const size_t group = w.channels / groups;
    const size_t taps_h = static_cast<size_t>(w.filter_h), taps_w = static_cast<size_t>(w.filter_w);
    way_ = w.is_transposed ? Way::kGather : Copy::kIsView && !w.ReachesOutside() ? Way::kView : Way::kBand;
    this->image_rows = w.out_h * w.out_w;
    this->line_rows = w.out_w;
    if (way_ == Way::kGather) {
      this->runs = {1, taps_h * taps_w * group};
      for (size_t g = 0; g < groups; ++g) {
        this->offsets.push_back(static_cast<ptrdiff_t>(g * this->runs.depth));
      }
      this->line_rows = 1;
      this->row_bytes = groups * this->runs.depth * sizeof(Lhs);
      return;
    }
    // Filters of one line or column pass over what strides skip: a band leaves that out.
    const bool is_band = way_ == Way::kBand;
    pick_h_ = is_band && taps_h == 1 ? static_cast<size_t>(w.stride_h) : 1;
    pick_w_ = is_band && taps_w == 1 ? static_cast<size_t>(w.stride_w) : 1;
    step_h_ = static_cast<size_t>(w.stride_h) / pick_h_;
    step_w_ = static_cast<size_t>(w.stride_w) / pick_w_;
    width_ = is_band ? (w.out_w - (w.out_w > 0)) * step_w_ + reach_w() : w.in_w;
    const bool side_by_side = w.dilation_w == 1 && groups == 1;
    this->runs = side_by_side ? Runs{taps_h, taps_w * group} : Runs{taps_h * taps_w, group};
    for (size_t g = 0; g < groups; ++g) {
      for (size_t ky = 0; ky < taps_h; ++ky) {
        for (size_t kx = 0; kx < (side_by_side ? 1 : taps_w); ++kx) {
          const size_t pixel =
              ky * static_cast<size_t>(w.dilation_h) * width_ + kx * static_cast<size_t>(w.dilation_w);
          this->offsets.push_back(static_cast<ptrdiff_t>(pixel * w.channels + g * group));
        }
      }
    }
    if (way_ == Way::kView && w.IsPointwise()) {
      this->image_rows = w.pixels();
      this->line_rows = 1;
    }
    this->row_bytes = step_h_ * step_w_ * w.channels * sizeof(Lhs);
  }

  // Beyond all memory for what a file may say of strides and dilations: offsets are right for what fits.
  uint64_t scratch_elements(uint64_t rows) const override {
    const Window& w = window_;
    if (way_ == Way::kView) return 0;
    if (way_ == Way::kGather) return Times(Times(rows, this->offsets.size()), this->runs.depth);
    const uint64_t line = std::max<size_t>(w.out_w, 1);
    const uint64_t lines = rows / line + (rows % line ? 2 : 0);
    return Times(Times(BandLines(lines), width_), w.channels);
  }

  void Find(const void* input, size_t first, size_t count, Lhs padding, Lhs* scratch,
            const Lhs** rows) const noexcept override {
    const Source* from = static_cast<const Source*>(input);
    if (way_ == Way::kGather) return Gather(from, first, count, padding, scratch, rows);
    const Window& w = window_;
    size_t ox = first % w.out_w, oy = first / w.out_w % w.out_h;
    const size_t image = first / w.out_w / w.out_h;
    const Lhs* line;
    if constexpr (Copy::kIsView) {
      if (way_ == Way::kView) {
        if (w.IsPointwise()) {
          return PointRows(from + first * w.channels, w.channels, count, rows);
        }
        line = from + (image * w.in_h + oy * step_h_) * w.in_w * w.channels;
        return Point(line, ox, count, rows);
      }
    }
    FillBand(from + image * w.in_h * w.in_w * w.channels, oy, ox, count, padding, scratch);
    Point(scratch, ox, count, rows);
  }

 private:
  enum class Way { kView, kBand, kGather };

  size_t reach_h() const { return static_cast<size_t>(window_.filter_h - 1) * Size(window_.dilation_h) + 1; }
  size_t reach_w() const { return static_cast<size_t>(window_.filter_w - 1) * Size(window_.dilation_w) + 1; }
  static size_t Size(int value) { return static_cast<size_t>(value); }
  uint64_t BandLines(uint64_t lines) const { return lines ? (lines - 1) * step_h_ + reach_h() : 0; }

  // Rows from column ox of the output line that begins at `line`.
  void Point(const Lhs* line, size_t ox, size_t count, const Lhs** rows) const {
    const size_t c = window_.channels, line_step = step_h_ * width_ * c, pixel_step = step_w_ * c;
    while (count > 0) {
      const size_t some = std::min(window_.out_w - ox, count);
      PointRows(line + ox * pixel_step, pixel_step, some, rows);
      rows += some;
      count -= some;
      line += line_step;
      ox = 0;
    }
  }

  // The lines of `image` under `count` output pixels from (oy, ox).
  void FillBand(const Source* image, size_t oy, size_t ox, size_t count, Lhs padding, Lhs* band) const {
    const Window& w = window_;
    const size_t lines = (ox + count + w.out_w - 1) / w.out_w;
    const bool is_part = lines == 1;  // of one line: only its own columns
    const size_t from = is_part ? ox * step_w_ : 0;
    const size_t to = is_part ? (ox + count - 1) * step_w_ + reach_w() : width_;
    for (size_t i = 0; i < BandLines(lines); ++i, band += width_ * w.channels) {
      const ptrdiff_t row = static_cast<ptrdiff_t>(oy * Size(w.stride_h) + i * pick_h_) - w.pad_top;
      if (w.HasRow(row)) {
        FillLine(image + static_cast<size_t>(row) * w.in_w * w.channels, from, to, padding, band);
      } else {
        std::fill(band + from * w.channels, band + to * w.channels, padding);
      }
    }
  }

  // Columns [from, to) of a band over one line of the input.
  void FillLine(const Source* line, size_t from, size_t to, Lhs padding, Lhs* band) const {
    const Window& w = window_;
    const size_t c = w.channels;
    if (pick_w_ > 1) {
      for (size_t i = from; i < to; ++i) {
        const ptrdiff_t column = static_cast<ptrdiff_t>(i * pick_w_) - w.pad_left;
        if (w.HasColumn(column)) {
          copy(line + static_cast<size_t>(column) * c, c, band + i * c);
        } else {
          std::fill_n(band + i * c, c, padding);
        }
      }
      return;
    }
    const auto clamp = [&](size_t column) { return std::min(std::max(column, from), to); };
    const size_t left = clamp(Size(w.pad_left)), right = std::max(left, clamp(Size(w.pad_left) + w.in_w));
    std::fill(band + from * c, band + left * c, padding);
    if (right > left) copy(line + (left - Size(w.pad_left)) * c, (right - left) * c, band + left * c);
    std::fill(band + right * c, band + to * c, padding);
  }

  void Gather(const Source* input, size_t first, size_t count, Lhs padding, Lhs* out,
              const Lhs** rows) const {
    const Window& w = window_;
    const size_t groups = this->offsets.size(), c = w.channels / groups;
    for (size_t i = 0; i < count; ++i) {
      const size_t row = first + i, ox = row % w.out_w, oy = row / w.out_w % w.out_h;
      const Source* image = input + row / w.out_w / w.out_h * w.in_h * w.in_w * w.channels;
      rows[i] = out;
      for (size_t g = 0; g < groups; ++g) {
        for (int ky = 0; ky < w.filter_h; ++ky) {
          const ptrdiff_t y = w.InputRow(oy, ky);
          for (int kx = 0; kx < w.filter_w; ++kx, out += c) {
            const ptrdiff_t x = w.InputColumn(ox, kx);
            if (w.HasRow(y) && w.HasColumn(x)) {
              const size_t pixel = static_cast<size_t>(y) * w.in_w + static_cast<size_t>(x);
              copy(image + pixel * w.channels + g * c, c, out);
            } else {
              std::fill_n(out, c, padding);
            }
          }
        }
      }
    }
  }

  Window window_;
  Way way_;
  size_t pick_h_ = 1, pick_w_ = 1;  // every so many lines and columns of the input are in a band
  size_t step_h_ = 1, step_w_ = 1;  // from output line to line and column to column, in lines of `width_`
  size_t width_ = 0;                // columns of a line that rows point into
};

}  // namespace lowbit::program::steps
