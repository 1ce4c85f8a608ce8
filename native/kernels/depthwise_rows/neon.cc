// Depthwise convolution with 3x3 and 5x5 filters for NEON: eight channels and two pixels a pass along a row.
//
// Method: smull and smlal multiply two taps in int16, which are then added to int32 sums. The columns that two pixels
//         share are read once, weights of 3x3 filters stay in registers.
// Exact:  weights lie in [-127, 127], so that two products sum to at most 2 * 128 * 127 = 32512, which int16 holds. The
//         int32 sums wrap, as the reference's do.
// Reads:  rows inside [0, in_w x channels).
#include "kernels/depthwise_rows/neon.h"

#include "kernels/depthwise/neon_taps.h"
#include "kernels/depthwise/pack.h"

namespace lowbit::kernels::depthwise_rows {

namespace {

using depthwise::AddTap;
using depthwise::AddTaps;
using depthwise::Finish8;
using depthwise::Flipped;
using depthwise::kLanes;
using depthwise::Sums8;

// What lies under the filter at kPixels neighbouring pixels, read once.
template <int kFilter, int kStride, int kPixels>
struct Columns {
  static constexpr int kCount = (kPixels - 1) * kStride + kFilter;
  int8x8_t codes[kFilter][kCount];

  // `load(ky, i)` gives the codes of column i.
  template <typename Load>
  explicit Columns(const Load& load) {
#pragma GCC unroll 8
    for (int ky = 0; ky < kFilter; ++ky) {
#pragma GCC unroll 8
      for (int i = 0; i < kCount; ++i) codes[ky][i] = load(ky, i);
    }
  }
  int8x8_t At(int tap, int pixel) const { return codes[tap / kFilter][pixel * kStride + tap % kFilter]; }
  void Multiply(const int8_t* weights, Sums8 (&sums)[kPixels]) const {
    constexpr int kTaps = kFilter * kFilter;
#pragma GCC unroll 16
    for (int t = 0; t + 1 < kTaps; t += 2) {
#pragma GCC unroll 2
      for (int p = 0; p < kPixels; ++p)
        AddTaps(&sums[p], At(t, p), weights + t * 8, At(t + 1, p), weights + t * 8 + 8);
    }
#pragma GCC unroll 2
    for (int p = 0; p < kPixels; ++p) AddTap(&sums[p], At(kTaps - 1, p), weights + (kTaps - 1) * 8);
  }
};

// Eight channels of an output row.
template <int kFilter, int kStride, Ending kEnding>
class Line {
 public:
  Line(const Call& call, const Channels& channels, const ByteClamp& clamp, size_t block)
      : finish_(channels, clamp, block * kLanes),
        weights_(static_cast<const int8_t*>(call.packed) + block * kFilter * kFilter * kLanes),
        start_(depthwise::BlockStart(block, call.channels)),
        pitch_(call.channels),
        in_w_(static_cast<ptrdiff_t>(call.in_w)),
        out_w_(static_cast<ptrdiff_t>(call.out_w)),
        pad_left_(call.pad_left),
        flip_(vdup_n_s8(static_cast<int8_t>(call.flip))),
        padding_(vdup_n_s8(static_cast<int8_t>(call.padding ^ call.flip))) {}

  void Run(const int8_t* const* rows, int8_t* out) const {
    const int8_t* from[kFilter];
#pragma GCC unroll 8
    for (int ky = 0; ky < kFilter; ++ky) from[ky] = rows[ky] + start_;
    out += start_;
    const ptrdiff_t pitch = static_cast<ptrdiff_t>(pitch_);
    ptrdiff_t x = 0;
    for (; x < out_w_ && x * kStride < pad_left_; ++x) Edge(from, x, out + x * pitch);
    const auto column = [&](ptrdiff_t at) { return at * kStride - pad_left_; };
    for (; x + 2 <= out_w_ && column(x + 1) + kFilter <= in_w_; x += 2) {
      const ptrdiff_t first = column(x) * pitch;
      const Columns<kFilter, kStride, 2> columns(
          [&](int ky, int i) { return Flipped(from[ky] + first + i * pitch, flip_); });
      Sums8 sums[2] = {finish_.bias, finish_.bias};
      columns.Multiply(weights_, sums);
      const int8x16_t codes = finish_(sums[0], sums[1]);
      vst1_s8(out + x * pitch, vget_low_s8(codes));
      vst1_s8(out + (x + 1) * pitch, vget_high_s8(codes));
    }
    for (; x < out_w_; ++x) Edge(from, x, out + x * pitch);
  }

 private:
  // A pixel under which columns may lie outside.
  void Edge(const int8_t* const (&from)[kFilter], ptrdiff_t x, int8_t* out) const {
    const ptrdiff_t first = x * kStride - pad_left_;
    const Columns<kFilter, kStride, 1> columns([&](int ky, int i) {
      const ptrdiff_t column = first + i;
      if (column < 0 || column >= in_w_) return padding_;
      return Flipped(from[ky] + column * static_cast<ptrdiff_t>(pitch_), flip_);
    });
    Sums8 sums[1] = {finish_.bias};
    columns.Multiply(weights_, sums);
    vst1_s8(out, finish_(sums[0]));
  }

  const Finish8<kEnding> finish_;
  const int8_t* weights_;
  size_t start_, pitch_;
  ptrdiff_t in_w_, out_w_, pad_left_;
  int8x8_t flip_, padding_;
};

template <int kFilter, int kStride>
void Run(const Call& call, const Channels& channels, const Output& output) noexcept {
  const ByteClamp clamp(output);
  WithEnding(channels, [&](auto ending) {
    for (size_t block = 0; block < depthwise::BlockCount(call.channels); ++block) {
      const Line<kFilter, kStride, decltype(ending)::value> line(call, channels, clamp, block);
      for (size_t y = 0; y < call.count; ++y)
        line.Run(call.rows + y * kFilter, call.out + y * call.out_w * call.channels);
    }
  });
}

constexpr Row kList[] = {
    {"depthwise_rows.s8s8.3x3s1.neon", cpu::kNeon, 3, 1, kLanes, Run<3, 1>, &depthwise::kByteTaps},
    {"depthwise_rows.s8s8.3x3s2.neon", cpu::kNeon, 3, 2, kLanes, Run<3, 2>, &depthwise::kByteTaps},
    {"depthwise_rows.s8s8.5x5s1.neon", cpu::kNeon, 5, 1, kLanes, Run<5, 1>, &depthwise::kByteTaps},
    {"depthwise_rows.s8s8.5x5s2.neon", cpu::kNeon, 5, 2, kLanes, Run<5, 2>, &depthwise::kByteTaps},
};

}  // namespace

const Rows kNeon{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise_rows
