// 16x8 GEMM tiles in plain C++.
#include "kernels/gemm_s16/scalar.h"

#include "kernels/requantize/wide.h"

namespace lowbit::kernels::gemm_s16 {

namespace {

constexpr int kMr = 4, kNr = 8, kKr = kDepthInterleave;

// The sums of one row under one panel.
void Accumulate(const Block& block, const int16_t* lhs, const int16_t* weights, int64_t (&acc)[kNr]) {
  for (int n = 0; n < kNr; ++n) acc[n] = 0;
  for (int run = 0; run < block.run_count; ++run) {
    const int16_t* from = lhs + block.runs[run];
    for (int k = 0; k < block.run_depth; k += kKr, weights += kNr * kKr) {
      for (int n = 0; n < kNr; ++n) {
        for (int i = 0; i < kKr; ++i) acc[n] += from[k + i] * weights[n * kKr + i];
      }
    }
  }
}

void S16S8_4x8c2(const Block& block, const Channels& channels) noexcept {
  for (size_t first = 0; first < block.cols; first += kNr) {
    const uint8_t* packed = static_cast<const uint8_t*>(block.packed) + first / kNr * block.panel_bytes;
    for (size_t m = 0; m < block.rows; ++m) {
      int64_t acc[kNr];
      Accumulate(block, block.lhs[m], reinterpret_cast<const int16_t*>(packed), acc);
      int16_t* out = block.out + static_cast<ptrdiff_t>(m) * block.out_stride;
      for (size_t n = first; n < block.cols && n < first + kNr; ++n) {
        const size_t c = block.channel + n;
        const int64_t x = AddWide(acc[n - first], channels.bias[c]);
        const int32_t scaled = channels.scale ? RoundWideOnce(x, channels.scale[c])
                                              : MultiplyWide(x, channels.multiplier[c], channels.shift[c]);
        out[n] = static_cast<int16_t>(scaled < channels.low    ? channels.low
                                      : scaled > channels.high ? channels.high
                                                               : scaled);
      }
    }
  }
}

constexpr Row kList[] = {{"gemm.s16s8.4x8c2.scalar", cpu::kScalar, kMr, kNr, kKr, S16S8_4x8c2}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_s16
