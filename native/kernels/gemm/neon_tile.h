// What the NEON GEMM kernels share: tiles, and how their sums become output. For inclusion by kernel files built with
// NEON or more; everything is in an unnamed namespace.
//
// A kernel is a `Sum`: kMr rows x kNr channels (4 or 8) are a tile, kr depths a group, and
// Sum::Add<kFlips>(block, tile, acc) adds the products of a tile to acc[kRows][kNr / 4], four channels a vector.
#pragma once

#include <arm_neon.h>
#include <string.h>

#include "kernels/gemm/contract.h"
#include "kernels/gemm/rows.h"
#include "kernels/requantize/neon.h"

namespace lowbit::kernels::gemm {
namespace {

// Codes of the left-hand side.
template <bool kFlips>
inline int8x16_t Load16(const uint8_t* from, uint8x16_t flip) {
  const uint8x16_t bytes = vld1q_u8(from);
  return vreinterpretq_s8_u8(kFlips ? veorq_u8(bytes, flip) : bytes);
}
template <bool kFlips>
inline int8x8_t Load8(const uint8_t* from, uint8x16_t flip) {
  const uint8x8_t bytes = vld1_u8(from);
  return vreinterpret_s8_u8(kFlips ? veor_u8(bytes, vget_low_u8(flip)) : bytes);
}

template <int kRows, int kWide, Ending kEnding, typename AnyTile>
inline void StoreCodes(const int32x4_t (&acc)[kRows][kWide], const AnyTile& tile, ptrdiff_t stride,
                       const Channels& channels, const ByteClamp& clamp) {
  int8_t* out = tile.out;
  if constexpr (kWide == 2) {
    const Rounded4<kEnding> first(channels, tile.channel), second(channels, tile.channel + 4);
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m, out += stride)
      StoreBytes<8>(out, clamp.Bytes(first(acc[m][0]), second(acc[m][1])), tile.cols);
  } else {
    const Rounded4<kEnding> rounded(channels, tile.channel);
#pragma GCC unroll 8
    for (int m = 0; m < kRows; m += 2, out += 2 * stride) {
      const int next = m + 1 < kRows ? m + 1 : m;
      const int8x8_t bytes = clamp.Bytes(rounded(acc[m][0]), rounded(acc[next][0]));
      StoreBytes<4>(out, bytes, tile.cols);
      if (m + 1 < kRows) StoreBytes<4>(out + stride, vext_s8(bytes, bytes, 4), tile.cols);
    }
  }
}

template <int kRows, bool kFlips, Ending kEnding, typename Sum, typename AnyBlock, typename AnyTile>
LOWBIT_NOINLINE void CodeTile(const AnyBlock& block, const AnyTile& tile, const Channels& channels,
                              const ByteClamp& clamp) {
  constexpr int kWide = Sum::kNr / 4;
  int32x4_t acc[kRows][kWide];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) acc[m][j] = vld1q_s32(channels.bias + tile.channel + 4 * j);
  }
  Sum::template Add<kFlips>(block, tile, acc);
  StoreCodes<kRows, kWide, kEnding>(acc, tile, block.out_stride, channels, clamp);
}

template <int kRows, bool kFlips, typename Sum, typename AnyBlock, typename AnyTile>
LOWBIT_NOINLINE void SumTile(const AnyBlock& block, const AnyTile& tile, int32_t* sums) {
  constexpr int kWide = Sum::kNr / 4;
  int32x4_t acc[kRows][kWide];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) acc[m][j] = vdupq_n_s32(0);
  }
  Sum::template Add<kFlips>(block, tile, acc);
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) vst1q_s32(sums + Sum::kNr * m + 4 * j, acc[m][j]);
  }
}

template <bool kFlips, Ending kEnding, typename Sum, typename AnyBlock>
void CodeTiles(const AnyBlock& block, const Channels& channels, const ByteClamp& clamp) {
  EachStrip<Sum::kMr>(block, [&](auto count, const Strip& strip) {
    constexpr int kRows = decltype(count)::value;
    EachTile<kRows, Sum::kNr>(block, strip, [&](const auto& tile) {
      CodeTile<kRows, kFlips, kEnding, Sum>(block, tile, channels, clamp);
    });
  });
}

// Endings that are rare: sums go through memory. `finish(sums, rows, tile)`: kNr sums a row, without bias.
template <bool kFlips, typename Sum, typename AnyBlock, typename Finish>
inline void RunThroughMemory(const AnyBlock& block, const Finish& finish) {
  EachStrip<Sum::kMr>(block, [&](auto count, const Strip& strip) {
    constexpr int kRows = decltype(count)::value;
    EachTile<kRows, Sum::kNr>(block, strip, [&](const auto& tile) {
      int32_t sums[kRows * Sum::kNr];
      SumTile<kRows, kFlips, Sum>(block, tile, sums);
      finish(sums, kRows, tile);
    });
  });
}

template <int kNr, Ending kEnding, typename AnyTile>
LOWBIT_NOINLINE void StoreRounded(const int32_t* sums, int rows, const AnyTile& tile, ptrdiff_t stride,
                                  const Channels& channels, const ByteClamp& clamp) {
  for (int m = 0; m < rows; ++m, sums += kNr) {
    int32x4_t acc[1][kNr / 4];
    for (int j = 0; j < kNr / 4; ++j)
      acc[0][j] = vaddq_s32(vld1q_s32(sums + 4 * j), vld1q_s32(channels.bias + tile.channel + 4 * j));
    AnyTile row = tile;
    row.out += m * stride;
    StoreCodes<1, kNr / 4, kEnding>(acc, row, stride, channels, clamp);
  }
}

template <bool kFlips, typename Sum, typename AnyBlock>
void RunCodesOf(const AnyBlock& block, const Channels& channels, const Output& output) {
  const ByteClamp clamp(output);
  const Ending ending = EndingOf(channels);
  if (ending == Ending::kPlain) return CodeTiles<kFlips, Ending::kPlain, Sum>(block, channels, clamp);
  if (ending == Ending::kSigned) return CodeTiles<kFlips, Ending::kSigned, Sum>(block, channels, clamp);
  RunThroughMemory<kFlips, Sum>(block, [&](const int32_t* sums, int rows, const auto& tile) {
    if (ending == Ending::kOnce)
      StoreRounded<Sum::kNr, Ending::kOnce>(sums, rows, tile, block.out_stride, channels, clamp);
    else
      StoreRounded<Sum::kNr, Ending::kLiteral>(sums, rows, tile, block.out_stride, channels, clamp);
  });
}

// Codes by any rounding.
template <typename Sum, typename AnyBlock>
void RunCodes(const AnyBlock& block, const Channels& channels, const Output& output) noexcept {
  block.flip ? RunCodesOf<true, Sum>(block, channels, output)
             : RunCodesOf<false, Sum>(block, channels, output);
}

template <int kNr, typename AnyTile>
LOWBIT_NOINLINE void StoreReals(const int32_t* sums, int count, const AnyTile& tile, ptrdiff_t stride,
                                const HybridChannels& channels, const HybridRows& rows) {
  const float32x4_t low = vdupq_n_f32(channels.low), high = vdupq_n_f32(channels.high);
  for (int m = 0; m < count; ++m, sums += kNr) {
    const ptrdiff_t row = (static_cast<ptrdiff_t>(tile.row) + m) * rows.step;
    const int32x4_t zero = vdupq_n_s32(channels.offset + rows.zero_point[row]);
    const float32x4_t scale = vdupq_n_f32(rows.scale[row]);
    for (int n = 0; n < tile.cols; n += 4) {
      const size_t c = tile.channel + static_cast<size_t>(n);
      const int32x4_t sum = vmlsq_s32(vld1q_s32(sums + n), zero, vld1q_s32(channels.weight_sum + c));
      const float32x4_t own = vld1q_f32(channels.scale + c), wide = vcvtq_f32_s32(sum);
      const float32x4_t product = channels.scales_apart ? vmulq_f32(vmulq_f32(wide, own), scale)
                                                        : vmulq_f32(wide, vmulq_f32(scale, own));
      // Added apart: -ffp-contract=off keeps the compiler from fusing the sum.
      float32x4_t real = vaddq_f32(product, vld1q_f32(channels.bias + c));
      real = vbslq_f32(vcltq_f32(real, low), low, real);  // NaN passes through, and -0 a clamp at 0
      real = vbslq_f32(vcgtq_f32(real, high), high, real);
      float* out = tile.out + m * stride + n;
      if (tile.cols - n >= 4) {
        vst1q_f32(out, real);
      } else {
        float all[4];
        vst1q_f32(all, real);
        memcpy(out, all, static_cast<size_t>(tile.cols - n) * sizeof(float));
      }
    }
  }
}

// Reals of hybrid layers.
template <typename Sum, typename AnyBlock>
void RunReals(const AnyBlock& block, const HybridChannels& channels, const HybridRows& rows) noexcept {
  const auto finish = [&](const int32_t* sums, int count, const auto& tile) {
    StoreReals<Sum::kNr>(sums, count, tile, block.out_stride, channels, rows);
  };
  block.flip ? RunThroughMemory<true, Sum>(block, finish) : RunThroughMemory<false, Sum>(block, finish);
}

}  // namespace
}  // namespace lowbit::kernels::gemm
