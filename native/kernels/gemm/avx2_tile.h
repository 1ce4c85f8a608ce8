// What 256-bit GEMM kernels share: tiles of 16 channels (6 rows) or 8 (8 rows), and how their sums become output.
// For inclusion by kernel files built with AVX2 or more; everything is in an unnamed namespace.
//
// A kernel is a `Sum`: Sum::Add(block, tile, acc) adds the products of a tile to acc[kRows][kWide], eight
// channels a vector.
#pragma once

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels/gemm/contract.h"
#include "kernels/gemm/rows.h"
#include "kernels/requantize/avx2.h"

namespace lowbit::kernels::gemm {
namespace {

constexpr int MostRows(int wide) { return wide == 2 ? 6 : 8; }

// g++ otherwise reorders the row updates, needs more than sixteen registers and spills accumulators in the
// loop.
inline void KeepInRegister(__m256i& a) {
#if defined(__GNUC__)
  __asm__("" : "+x"(a));
#else
  (void)a;
#endif
}

inline void FetchAhead(const void* weights) {
  _mm_prefetch(static_cast<const char*>(weights) + kFetchAhead, _MM_HINT_T0);
}

// Few accumulators would wait for each other, so sums of few rows are split by depth: `add(sums)` adds to any of
// sums[kChains], which are added up in acc.
template <int kChains, int kRows, int kWide, typename Add>
inline void InChains(__m256i (&acc)[kRows][kWide], const Add& add) {
  __m256i sums[kChains][kRows][kWide];
#pragma GCC unroll 4
  for (int chain = 0; chain < kChains; ++chain) {
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
      for (int j = 0; j < kWide; ++j) sums[chain][m][j] = chain ? _mm256_setzero_si256() : acc[m][j];
    }
  }
  add(sums);
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) {
      acc[m][j] = sums[0][m][j];
#pragma GCC unroll 4
      for (int chain = 1; chain < kChains; ++chain)
        acc[m][j] = _mm256_add_epi32(acc[m][j], sums[chain][m][j]);
    }
  }
}

// Walks a run of `depth`: `step(sums)` goes on by kStep.
template <int kStep, int kChains, int kRows, int kWide, typename Step>
inline void WalkRun(__m256i (&sums)[kChains][kRows][kWide], ptrdiff_t depth, const Step& step) {
  if constexpr (kChains > 1) {
    for (; depth >= kChains * kStep; depth -= kChains * kStep) {
#pragma GCC unroll 4
      for (int chain = 0; chain < kChains; ++chain) step(sums[chain]);
    }
  }
  for (; depth > 0; depth -= kStep) step(sums[0]);
}

// Codes of sums with the folded bias.
template <int kRows, int kWide, Form kForm, typename AnyTile>
inline void StoreFolded(const __m256i (&acc)[kRows][kWide], const AnyTile& tile, ptrdiff_t stride,
                        const Channels& channels, const ByteClamp& clamp) {
  constexpr int kAtOnce = 4 / kWide;
#pragma GCC unroll 8
  for (int m = 0; m < kRows; m += kAtOnce) {
    __m256i four[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const int row = m + i / kWide < kRows ? m + i / kWide : m;
      four[i] = Codes8<kForm>(channels, tile.channel + 8 * (i % kWide))(acc[row][i % kWide]);
    }
    const __m256i bytes = clamp.Bytes(four[0], four[1], four[2], four[3]);
    const __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
    int8_t* out = tile.out + m * stride;
    StoreBytes<8 * kWide>(out, low, tile.cols);
    if (kWide == 2) {
      if (m + 1 < kRows) StoreBytes<8 * kWide>(out + stride, high, tile.cols);
    } else {
      if (m + 1 < kRows) StoreBytes<8 * kWide>(out + stride, _mm_unpackhi_epi64(low, low), tile.cols);
      if (m + 2 < kRows) StoreBytes<8 * kWide>(out + 2 * stride, high, tile.cols);
      if (m + 3 < kRows) StoreBytes<8 * kWide>(out + 3 * stride, _mm_unpackhi_epi64(high, high), tile.cols);
    }
  }
}

template <int kRows, int kWide, Form kForm, typename Sum, typename AnyBlock, typename AnyTile>
LOWBIT_NOINLINE void RunFolded(const AnyBlock& block, const AnyTile& tile, const Channels& channels,
                               const ByteClamp& clamp) {
  __m256i acc[kRows][kWide];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) acc[m][j] = Codes8<kForm>::Bias(channels, tile.channel + 8 * j);
  }
  Sum::Add(block, tile, acc);
  StoreFolded<kRows, kWide, kForm>(acc, tile, block.out_stride, channels, clamp);
}

template <int kRows, int kWide, typename Sum, typename AnyBlock, typename AnyTile>
LOWBIT_NOINLINE void SumTile(const AnyBlock& block, const AnyTile& tile, int32_t* sums) {
  __m256i acc[kRows][kWide];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) acc[m][j] = _mm256_setzero_si256();
  }
  Sum::Add(block, tile, acc);
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j)
      _mm256_store_si256(reinterpret_cast<__m256i*>(sums + 8 * (kWide * m + j)), acc[m][j]);
  }
}

// Endings that are rare: sums go through memory.
// `finish(sums, rows, tile)`: 8 * kWide sums a row, without bias.
template <int kWide, typename Sum, typename AnyBlock, typename Finish>
inline void RunThroughMemory(const AnyBlock& block, const Finish& finish) {
  EachStrip<MostRows(kWide)>(block, [&](auto count, const Strip& strip) {
    constexpr int kRows = decltype(count)::value;
    EachTile<kRows, 8 * kWide>(block, strip, [&](const auto& tile) {
      alignas(32) int32_t sums[kRows * kWide * 8];
      SumTile<kRows, kWide, Sum>(block, tile, sums);
      finish(sums, kRows, tile);
    });
  });
}

inline __m256i LoadSums(const int32_t* from) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}

template <int kWide, typename AnyTile>
LOWBIT_NOINLINE void StoreRounded(const int32_t* sums, int rows, const AnyTile& tile, ptrdiff_t stride,
                                  const Channels& channels, const Output& output) {
  const ByteClamp clamp(output);
  for (int m = 0; m < rows; ++m, sums += 8 * kWide) {
    __m256i codes[2];
    for (int j = 0; j < kWide; ++j) {
      const size_t c = tile.channel + 8 * static_cast<size_t>(j);
      const __m256i sum = _mm256_add_epi32(LoadSums(sums + 8 * j), Codes8<Form::kLiteral>::Bias(channels, c));
      codes[j] = Codes8<Form::kLiteral>(channels, c, output)(sum);
    }
    StoreBytes<8 * kWide>(tile.out + m * stride, clamp.Bytes(codes[0], codes[kWide - 1]), tile.cols);
  }
}

template <int kWide, Form kForm, typename Sum, typename AnyBlock>
inline void RunFoldedTiles(const AnyBlock& block, const Channels& channels, const Output& output) {
  const ByteClamp clamp(output);
  EachStrip<MostRows(kWide)>(block, [&](auto count, const Strip& strip) {
    constexpr int kRows = decltype(count)::value;
    EachTile<kRows, 8 * kWide>(block, strip, [&](const auto& tile) {
      RunFolded<kRows, kWide, kForm, Sum>(block, tile, channels, clamp);
    });
  });
}

// Codes by any rounding.
template <int kWide, typename Sum, typename AnyBlock>
inline void RunCodes(const AnyBlock& block, const Channels& channels, const Output& output) {
  if (channels.form == Form::kPlain) return RunFoldedTiles<kWide, Form::kPlain, Sum>(block, channels, output);
  if (channels.form == Form::kSigned)
    return RunFoldedTiles<kWide, Form::kSigned, Sum>(block, channels, output);
  RunThroughMemory<kWide, Sum>(block, [&](const int32_t* sums, int rows, const auto& tile) {
    StoreRounded<kWide>(sums, rows, tile, block.out_stride, channels, output);
  });
}

// What turns sums into reals: of eight channels from c, in a row of this scale.
inline __m256 Real8(__m256i sum, const HybridChannels& channels, size_t c, __m256 scale) {
  const __m256 real = _mm256_cvtepi32_ps(sum), own = _mm256_loadu_ps(channels.scale + c);
  const __m256 product = channels.scales_apart ? _mm256_mul_ps(_mm256_mul_ps(real, own), scale)
                                               : _mm256_mul_ps(real, _mm256_mul_ps(scale, own));
  // Added apart: -ffp-contract=off keeps the compiler from fusing the sum.
  return _mm256_add_ps(product, _mm256_loadu_ps(channels.bias + c));
}

// Most layers have no clamp.
inline bool HasClamp(const HybridChannels& channels) {
  return channels.low > -INFINITY || channels.high < INFINITY;
}

template <bool kClamps, int kRows, int kWide, typename Sum, typename AnyBlock, typename AnyTile>
LOWBIT_NOINLINE void RunReals(const AnyBlock& block, const AnyTile& tile, const HybridChannels& channels,
                              const HybridRows& rows) {
  const ptrdiff_t first = static_cast<ptrdiff_t>(tile.row) * rows.step;
  __m256i acc[kRows][kWide];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
    const __m256i zero = _mm256_set1_epi32(-channels.offset - rows.zero_point[first + m * rows.step]);
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j)
      acc[m][j] = _mm256_mullo_epi32(zero, LoadLanes(channels.weight_sum + tile.channel + 8 * j));
  }
  Sum::Add(block, tile, acc);
  const __m256 low = _mm256_set1_ps(channels.low), high = _mm256_set1_ps(channels.high);
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
    const __m256 scale = _mm256_set1_ps(rows.scale[first + m * rows.step]);
    float* out = tile.out + m * block.out_stride;
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) {
      __m256 real = Real8(acc[m][j], channels, tile.channel + 8 * static_cast<size_t>(j), scale);
      if (kClamps) real = _mm256_min_ps(high, _mm256_max_ps(low, real));  // NaN passes through
      const int left = tile.cols - 8 * j;
      if (left >= 8) {
        _mm256_storeu_ps(out + 8 * j, real);
      } else if (left > 0) {
        alignas(32) float all[8];
        _mm256_store_ps(all, real);
        memcpy(out + 8 * j, all, static_cast<size_t>(left) * sizeof(float));
      }
    }
  }
}

template <int kWide, typename Sum, typename AnyBlock>
inline void RunReals(const AnyBlock& block, const HybridChannels& channels, const HybridRows& rows) {
  const bool clamps = HasClamp(channels);
  EachStrip<MostRows(kWide)>(block, [&](auto count, const Strip& strip) {
    constexpr int kRows = decltype(count)::value;
    EachTile<kRows, 8 * kWide>(block, strip, [&](const auto& tile) {
      clamps ? RunReals<true, kRows, kWide, Sum>(block, tile, channels, rows)
             : RunReals<false, kRows, kWide, Sum>(block, tile, channels, rows);
    });
  });
}

}  // namespace
}  // namespace lowbit::kernels::gemm
