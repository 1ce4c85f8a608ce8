// 16x8 GEMM tiles in plain C++: the only version so far.
#include "kernels/gemm_s16/scalar.h"

#include "kernels/requantize/wide.h"

namespace lowbit::kernels::gemm_s16 {

namespace {

constexpr int kMr = 4, kNr = 8;
// A product is below 2^15 * 2^7: so many fit an int32 sum.
constexpr int kShortSum = 256;

// The sums of one row under one panel.
void Accumulate(const Block& block, const int16_t* lhs, const int8_t* weights, int64_t (&acc)[kNr]) {
  for (int n = 0; n < kNr; ++n) acc[n] = 0;
  for (int run = 0; run < block.run_count; ++run) {
    const int16_t* from = lhs + block.runs[run];
    for (int k = 0; k < block.run_depth;) {
      const int end = block.run_depth - k < kShortSum ? block.run_depth : k + kShortSum;
      int32_t sum[kNr] = {};
      for (; k < end; ++k, weights += kNr) {
        for (int n = 0; n < kNr; ++n) sum[n] += from[k] * weights[n];
      }
      for (int n = 0; n < kNr; ++n) acc[n] += sum[n];
    }
  }
}

void S16S8_4x8(const Block& block, const Channels& channels) noexcept {
  for (size_t first = 0; first < block.cols; first += kNr) {
    const uint8_t* packed = static_cast<const uint8_t*>(block.packed) + first / kNr * block.panel_bytes;
    for (size_t m = 0; m < block.rows; ++m) {
      int64_t acc[kNr];
      Accumulate(block, block.lhs[m], reinterpret_cast<const int8_t*>(packed), acc);
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

constexpr Row kList[] = {{"gemm.s16s8.4x8.scalar", cpu::kScalar, kMr, kNr, 1, S16S8_4x8}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_s16
