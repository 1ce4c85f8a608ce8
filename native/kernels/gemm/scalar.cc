// GEMM tiles in plain C++: the oracle of the other kernels, and the baseline of any processor.
#include "kernels/gemm/scalar.h"

#include "kernels/requantize/scalar.h"

namespace lowbit::kernels::gemm {

namespace {

constexpr int kMr = 4, kNr = 8, kKr = kDepthInterleave;

// Row m of the tile: its kNr sums.
void Accumulate(const int16_t* lhs, const void* packed, int depth, uint32_t (&acc)[kNr]) {
  const int16_t* weights = static_cast<const int16_t*>(packed);
  for (int n = 0; n < kNr; ++n) acc[n] = 0;  // unsigned: sums wrap
  for (int k = 0; k < depth; k += kKr) {
    for (int n = 0; n < kNr; ++n) {
      for (int i = 0; i < kKr; ++i) {
        acc[n] += static_cast<uint32_t>(lhs[k + i] * weights[k * kNr + n * kKr + i]);
      }
    }
  }
}

void S8S8_4x8c2(const Tile& tile, const Channels& channels, const Output& output) noexcept {
  uint32_t acc[kNr];
  for (int m = 0; m < tile.rows; ++m) {
    Accumulate(tile.lhs + m * tile.lhs_stride, tile.packed, tile.depth, acc);
    for (int n = 0; n < tile.cols; ++n) {
      tile.out[m * tile.out_stride + n] =
          Requantize(static_cast<int32_t>(acc[n]), channels, tile.channel + static_cast<size_t>(n), output);
    }
  }
}

void S8F32_4x8c2(const HybridTile& tile, const HybridChannels& channels, const HybridRows& rows) noexcept {
  uint32_t acc[kNr];
  for (int m = 0; m < tile.rows; ++m) {
    Accumulate(tile.lhs + m * tile.lhs_stride, tile.packed, tile.depth, acc);
    const uint32_t zero_point = static_cast<uint32_t>(rows.zero_point[m * rows.step]);
    for (int n = 0; n < tile.cols; ++n) {
      const size_t c = tile.channel + static_cast<size_t>(n);
      const int32_t sum =
          static_cast<int32_t>(acc[n] - zero_point * static_cast<uint32_t>(channels.weight_sum[c]));
      const float scale = rows.scale[m * rows.step];
      const float product = channels.scales_apart ? static_cast<float>(sum) * channels.scale[c] * scale
                                                  : static_cast<float>(sum) * (scale * channels.scale[c]);
      const float real = product + channels.bias[c];
      tile.out[m * tile.out_stride + n] = real < channels.low    ? channels.low
                                          : real > channels.high ? channels.high
                                                                 : real;
    }
  }
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
