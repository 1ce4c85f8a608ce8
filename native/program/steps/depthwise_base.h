// What depthwise steps share: spreading the input of layers with a depth multiplier, pointers to the taps of
// an output row, work split by output rows.
#pragma once

#include <algorithm>
#include <cstring>

#include "program/steps/matmul.h"
#include "program/steps/window.h"

namespace lowbit::program::steps {

template <typename T>
class DepthwiseBase : public Step {
 public:
  uint64_t scratch_bytes(int threads) const override {
    return spread_bytes_ + taps_bytes_ * static_cast<size_t>(threads);
  }

 protected:
  // Reads the geometry. Call PlanScratch before memory is taken.
  Status SetWindow(const StepArgs& args, const Window& window, size_t multiplier) {
    constexpr size_t kMostTaps = size_t{1} << 20;
    window_ = window;
    multiplier_ = multiplier;
    channels_ = window.channels * multiplier;
    tap_count_ = static_cast<size_t>(window.filter_h) * static_cast<size_t>(window.filter_w);
    if (tap_count_ > kMostTaps) return args.Fail(Code::kUnsupported, "more than 2^20 taps an output pixel");
    constexpr size_t kParallelMacs = 100 * 1000;
    const size_t rows = window.batch * window.out_h, threads = static_cast<size_t>(args.threads());
    const uint64_t macs = Times(Times(rows, window.out_w), Times(channels_, tap_count_));
    chunks_ = threads > 1 && macs >= kParallelMacs ? std::min(rows, 4 * threads) : 1;
    return Status();
  }

  // Neither part is bounded by the tensors: the input is multiplied, and taps are pointers.
  Status PlanScratch(const StepArgs& args, bool by_taps) {
    const auto align = [](uint64_t bytes) { return (bytes + 63) / 64 * 64; };
    const uint64_t pixels = Times(window_.batch, Times(window_.in_h, window_.in_w));
    const uint64_t spread = multiplier_ > 1 ? align(Times(pixels, channels_ * sizeof(T))) : 0;
    const uint64_t taps = by_taps ? align(Times(window_.out_w, tap_count_ * sizeof(T*))) : 0;
    LOWBIT_RETURN_IF_ERROR(args.Fits(Plus(spread, Times(taps, static_cast<uint64_t>(args.threads())))));
    spread_bytes_ = static_cast<size_t>(spread);
    taps_bytes_ = static_cast<size_t>(taps);
    return Status();
  }

  // The input with channels_ channels: each `multiplier_` times.
  const T* Spread(const RunContext& run, const T* input) const noexcept {
    if (multiplier_ == 1) return input;
    T* const all = reinterpret_cast<T*>(run.scratch);
    T* spread = all;
    const size_t count = window_.batch * window_.in_h * window_.in_w * window_.channels;
    for (size_t i = 0; i < count; ++i, spread += multiplier_) std::fill_n(spread, multiplier_, input[i]);
    return all;
  }

  // Calls rows(first, last, slot) for ranges that cover the output rows of all images.
  template <typename Rows>
  void EachRange(const RunContext& run, const Rows& rows) const {
    const size_t all = window_.batch * window_.out_h;
    if (chunks_ == 1) return rows(0, all, 0);
    run.pool->For(chunks_, run.threads, [&](size_t chunk, int slot) {
      rows(all * chunk / chunks_, all * (chunk + 1) / chunks_, slot);
    });
  }

  // Calls row(row, taps) for each output row, taps being pointers out_w x tap_count; `padding` has channels_
  // elements.
  template <typename OneRow>
  void EachRow(const RunContext& run, const T* input, const T* padding, const OneRow& one_row) const {
    EachRange(run, [&](size_t first, size_t last, int slot) {
      uint8_t* mine = run.scratch + spread_bytes_ + static_cast<size_t>(slot) * taps_bytes_;
      const T** taps = reinterpret_cast<const T**>(mine);
      for (size_t row = first; row < last; ++row) {
        Taps(input, row, padding, taps);
        one_row(row, taps);
      }
    });
  }

  // Whether kernels that walk along rows may take the window.
  bool IsSquare() const {
    const Window& w = window_;
    return w.filter_h == w.filter_w && w.stride_h == w.stride_w && w.dilation_h == 1 && w.dilation_w == 1 &&
           !w.is_transposed;
  }
  // Elements of the row of padding they are handed: none where the filter never hangs over an upper or lower
  // edge.
  uint64_t RowPadding() const {
    const Window& w = window_;
    if (!w.out_h || (w.HasRow(w.InputRow(0, 0)) && w.HasRow(w.InputRow(w.out_h - 1, w.filter_h - 1))))
      return 0;
    return Times(w.in_w, channels_);
  }

  // Calls group(rows, row, count) for a few output rows at a time, `rows` pointing to the count x filter_h
  // input rows under them, or to `padding`. Kernels take a block of channels through all rows of a group: what
  // they touch of the input, a cache line a pixel, is to stay in the first-level cache.
  template <typename Group>
  void EachGroup(const RunContext& run, const T* input, const T* padding, const Group& group) const {
    const Window& w = window_;
    if (!w.out_w) return;
    const size_t filter = static_cast<size_t>(w.filter_h), row_size = w.in_w * channels_;
    const size_t touched = std::max<size_t>(1, w.in_w * static_cast<size_t>(w.stride_h));
    const size_t least = w.stride_h == 1 ? 2 : 1;  // kernels may share what two rows have in common
    const size_t most = std::min(kMostPointers / filter, std::max(least, kGroupPixels / touched));
    EachRange(run, [&](size_t first, size_t last, int) {
      const T* rows[kMostPointers];
      for (size_t row = first, count; row < last; row += count) {
        count = std::min(most, last - row);
        for (size_t i = 0; i < count * filter; ++i) {
          const size_t b = (row + i / filter) / w.out_h, oy = (row + i / filter) % w.out_h;
          const ptrdiff_t iy = w.InputRow(oy, static_cast<int>(i % filter));
          rows[i] = w.HasRow(iy) ? input + (b * w.in_h + static_cast<size_t>(iy)) * row_size : padding;
        }
        group(rows, row, count);
      }
    });
  }

  Window window_{};
  size_t multiplier_ = 1, channels_ = 0, tap_count_ = 0;

 private:
  static constexpr size_t kMostPointers = 80, kGroupPixels = 32;  // of a group

  void Taps(const T* input, size_t row, const T* padding, const T** taps) const noexcept {
    const Window& w = window_;
    const size_t b = row / w.out_h, oy = row % w.out_h;
    size_t t = 0;
    for (int ky = 0; ky < w.filter_h; ++ky) {
      const ptrdiff_t iy = w.InputRow(oy, ky);
      const T* line =
          w.HasRow(iy) ? input + (b * w.in_h + static_cast<size_t>(iy)) * w.in_w * channels_ : nullptr;
      for (int kx = 0; kx < w.filter_w; ++kx, ++t) {
        ptrdiff_t ix = w.InputColumn(0, kx);
        for (size_t ox = 0; ox < w.out_w; ++ox, ix += w.stride_w) {
          if (w.is_transposed) ix = w.InputColumn(ox, kx);
          taps[ox * tap_count_ + t] =
              line && w.HasColumn(ix) ? line + static_cast<size_t>(ix) * channels_ : padding;
        }
      }
    }
  }

  size_t chunks_ = 1, spread_bytes_ = 0, taps_bytes_ = 0;
};

}  // namespace lowbit::program::steps
