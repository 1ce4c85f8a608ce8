// GEMM tiles in plain C++: the oracle of the other kernels, and the baseline of any processor.
#include "kernels/gemm/scalar.h"

#include "kernels/requantize/scalar.h"

namespace lowbit::kernels::gemm {

namespace {

constexpr int kMr = 4, kNr = 8, kKr = kDepthInterleave;

// The sums of one row under one panel.
template <typename AnyBlock>
void Accumulate(const AnyBlock& block, const int16_t* lhs, const void* packed, uint32_t (&acc)[kNr]) {
  const int16_t* weights = static_cast<const int16_t*>(packed);
  for (int n = 0; n < kNr; ++n) acc[n] = 0;  // unsigned: sums wrap
  for (int run = 0; run < block.run_count; ++run) {
    const int16_t* from = lhs + block.runs[run];
    for (int k = 0; k < block.run_depth; k += kKr, weights += kNr * kKr) {
      for (int n = 0; n < kNr; ++n) {
        for (int i = 0; i < kKr; ++i) acc[n] += static_cast<uint32_t>(from[k + i] * weights[n * kKr + i]);
      }
    }
  }
}

// Calls store(sum, row, column) for all of a block.
template <typename AnyBlock, typename Store>
void EachSum(const AnyBlock& block, const Store& store) {
  for (size_t first = 0; first < block.cols; first += kNr) {
    const uint8_t* packed = static_cast<const uint8_t*>(block.packed) + first / kNr * block.panel_bytes;
    for (size_t m = 0; m < block.rows; ++m) {
      uint32_t acc[kNr];
      Accumulate(block, block.lhs[m], packed, acc);
      for (size_t n = first; n < block.cols && n < first + kNr; ++n) store(acc[n - first], m, n);
    }
  }
}

void S8S8_4x8c2(const Block& block, const Channels& channels, const Output& output) noexcept {
  EachSum(block, [&](uint32_t sum, size_t m, size_t n) {
    block.out[static_cast<ptrdiff_t>(m) * block.out_stride + static_cast<ptrdiff_t>(n)] =
        Requantize(static_cast<int32_t>(sum), channels, block.channel + n, output);
  });
}

void S8F32_4x8c2(const HybridBlock& block, const HybridChannels& channels, const HybridRows& rows) noexcept {
  EachSum(block, [&](uint32_t wide, size_t m, size_t n) {
    const ptrdiff_t row = static_cast<ptrdiff_t>(m) * rows.step;
    const size_t c = block.channel + n;
    const uint32_t zero = static_cast<uint32_t>(channels.offset + rows.zero_point[row]);
    const float sum =
        static_cast<float>(static_cast<int32_t>(wide - zero * static_cast<uint32_t>(channels.weight_sum[c])));
    const float product = channels.scales_apart ? sum * channels.scale[c] * rows.scale[row]
                                                : sum * (rows.scale[row] * channels.scale[c]);
    const float real = product + channels.bias[c];
    block.out[static_cast<ptrdiff_t>(m) * block.out_stride + static_cast<ptrdiff_t>(n)] =
        real < channels.low    ? channels.low
        : real > channels.high ? channels.high
                               : real;
  });
}

void Widen(const int8_t* src, size_t count, uint8_t flip, int16_t* dst) noexcept {
  for (size_t i = 0; i < count; ++i) {
    dst[i] = static_cast<int8_t>(static_cast<uint8_t>(src[i]) ^ flip);
  }
}

constexpr Row kList[] = {
    {"gemm.s8s8.4x8c2.scalar", cpu::kScalar, kMr, kNr, kKr, 2, S8S8_4x8c2, S8F32_4x8c2, Widen},
};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm
