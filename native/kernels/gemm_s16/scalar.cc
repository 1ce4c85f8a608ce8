// 16x8 GEMM tiles in plain C++.
#include "kernels/gemm_s16/scalar.h"

#include "kernels/requantize/wide.h"

namespace lowbit::kernels::gemm_s16 {

namespace {

constexpr int kMr = 4, kNr = 8, kKr = kDepthInterleave;

void S16S8_4x8c2(const Tile& tile, const Channels& channels) noexcept {
  const int16_t* weights = static_cast<const int16_t*>(tile.packed);
  for (int m = 0; m < tile.rows; ++m) {
    const int16_t* lhs = tile.lhs + m * tile.lhs_stride;
    int64_t acc[kNr] = {};
    for (int k = 0; k < tile.depth; ++k) {
      const int16_t* line = weights + k / kKr * kNr * kKr + k % kKr;
      for (int n = 0; n < kNr; ++n) acc[n] += lhs[k] * line[n * kKr];
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

constexpr Row kList[] = {{"gemm.s16s8.4x8c2.scalar", cpu::kScalar, kMr, kNr, kKr, S16S8_4x8c2}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_s16
