// 16x8 GEMM tiles in plain C++: the only version so far.
#include "kernels/gemm_s16/scalar.h"

#include "kernels/requantize/wide.h"

namespace lowbit::kernels::gemm_s16 {

namespace {

constexpr int kMr = 4, kNr = 8;
// A product is below 2^15 * 2^7: so many fit an int32 sum.
constexpr int kShortSum = 256;

void S16S8_4x8(const Tile& tile, const Channels& channels) noexcept {
  const int8_t* weights = static_cast<const int8_t*>(tile.packed);
  for (int m = 0; m < tile.rows; ++m) {
    const int16_t* lhs = tile.lhs + m * tile.lhs_stride;
    int64_t acc[kNr] = {};
    for (int k = 0; k < tile.depth;) {
      const int end = tile.depth - k < kShortSum ? tile.depth : k + kShortSum;
      int32_t sum[kNr] = {};
      for (; k < end; ++k) {
        for (int n = 0; n < kNr; ++n) sum[n] += lhs[k] * weights[k * kNr + n];
      }
      for (int n = 0; n < kNr; ++n) acc[n] += sum[n];
    }
    for (int n = 0; n < tile.cols; ++n) {
      const size_t c = tile.channel + static_cast<size_t>(n);
      const int64_t x = AddWide(acc[n], channels.bias[c]);
      const int32_t scaled = channels.scale ? RoundWideOnce(x, channels.scale[c])
                                            : MultiplyWide(x, channels.multiplier[c], channels.shift[c]);
      const int32_t code = scaled < channels.low    ? channels.low
                           : scaled > channels.high ? channels.high
                                                    : scaled;
      tile.out[m * tile.out_stride + n] = static_cast<int16_t>(code);
    }
  }
}

constexpr Row kList[] = {{"gemm.s16s8.4x8.scalar", cpu::kScalar, kMr, kNr, 1, S16S8_4x8}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_s16
