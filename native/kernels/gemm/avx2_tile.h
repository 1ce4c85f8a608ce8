// What 256-bit GEMM kernels share: tiles of 16 channels (6 rows) or 8 (8 rows), and how their sums become output.
// For inclusion by kernel files built with AVX2 or more; everything is in an unnamed namespace.
//
// A kernel is a `Sum`: Sum::Add(block, tile, acc) adds the products of a tile to acc[kRows][kWide], eight
// channels a vector.
#pragma once

#include <immintrin.h>
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

// The clamp of codes, 32 at a time; saturation on the way to bytes is harmless.
struct ByteClamp {
  __m256i low, high, flip, order;
  bool is_needed;

  explicit ByteClamp(const Output& output)
      : low(_mm256_set1_epi8(static_cast<char>(output.low))),
        high(_mm256_set1_epi8(static_cast<char>(output.high))),
        flip(_mm256_set1_epi8(static_cast<char>(output.flip))),
        order(_mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)),
        is_needed(output.low > -128 || output.high < 127 || output.flip != 0) {}

  // The eight codes of a, then those of b, c and d.
  __m256i Bytes(__m256i a, __m256i b, __m256i c, __m256i d) const {
    return BytesOfWords(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
  }
  __m256i BytesOfWords(__m256i ab, __m256i cd) const {
    const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(ab, cd), order);
    if (!is_needed) return bytes;
    return _mm256_xor_si256(_mm256_min_epi8(_mm256_max_epi8(bytes, low), high), flip);
  }
};

// The first `cols` of 8 * kWide codes of a row.
template <int kWide>
inline void StoreRow(int8_t* out, __m128i codes, int cols) {
  if (cols == 8 * kWide) {
    if (kWide == 2)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), codes);
    else
      _mm_storel_epi64(reinterpret_cast<__m128i*>(out), codes);
  } else {
    alignas(16) int8_t all[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), codes);
    memcpy(out, all, static_cast<size_t>(cols));
  }
}

// Codes of sums with the folded bias.
template <int kRows, int kWide, typename AnyTile>
inline void StoreFolded(const __m256i (&acc)[kRows][kWide], const AnyTile& tile, ptrdiff_t stride,
                        const Channels& channels, const ByteClamp& clamp) {
  constexpr int kAtOnce = 4 / kWide;
#pragma GCC unroll 8
  for (int m = 0; m < kRows; m += kAtOnce) {
    __m256i four[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const int row = m + i / kWide < kRows ? m + i / kWide : m;
      four[i] = FoldedCodes8(acc[row][i % kWide], channels, tile.channel + 8 * (i % kWide));
    }
    const __m256i bytes = clamp.Bytes(four[0], four[1], four[2], four[3]);
    const __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
    int8_t* out = tile.out + m * stride;
    StoreRow<kWide>(out, low, tile.cols);
    if (kWide == 2) {
      if (m + 1 < kRows) StoreRow<kWide>(out + stride, high, tile.cols);
    } else {
      if (m + 1 < kRows) StoreRow<kWide>(out + stride, _mm_unpackhi_epi64(low, low), tile.cols);
      if (m + 2 < kRows) StoreRow<kWide>(out + 2 * stride, high, tile.cols);
      if (m + 3 < kRows) StoreRow<kWide>(out + 3 * stride, _mm_unpackhi_epi64(high, high), tile.cols);
    }
  }
}

template <int kRows, int kWide, typename Sum, typename AnyBlock, typename AnyTile>
LOWBIT_NOINLINE void RunFolded(const AnyBlock& block, const AnyTile& tile, const Channels& channels,
                               const ByteClamp& clamp) {
  __m256i acc[kRows][kWide];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) acc[m][j] = LoadLanes(channels.folded.bias + tile.channel + 8 * j);
  }
  Sum::Add(block, tile, acc);
  StoreFolded<kRows, kWide>(acc, tile, block.out_stride, channels, clamp);
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

// Endings that are rare, or that reach into the loop where g++ inlines them: sums go through memory.
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

template <Rounding kRounding, int kWide, typename AnyTile>
LOWBIT_NOINLINE void StoreRounded(const int32_t* sums, int rows, const AnyTile& tile, ptrdiff_t stride,
                                  const Channels& channels, const Output& output) {
  const ByteClamp clamp(output);
  const __m256i zero_point = _mm256_set1_epi16(static_cast<int16_t>(output.zero_point));
  for (int m = 0; m < rows; ++m, sums += 8 * kWide) {
    const __m256i low8 = Scale8<kRounding>(LoadSums(sums), channels, tile.channel);
    const __m256i high8 =
        kWide == 2 ? Scale8<kRounding>(LoadSums(sums + 8), channels, tile.channel + 8) : low8;
    // Saturation to int16 is harmless: such values stay beyond [low, high] with the zero point added.
    const __m256i words = _mm256_adds_epi16(_mm256_packs_epi32(low8, high8), zero_point);
    const __m256i bytes = clamp.BytesOfWords(words, words);
    StoreRow<kWide>(tile.out + m * stride, _mm256_castsi256_si128(bytes), tile.cols);
  }
}

// Codes by any rounding.
template <int kWide, typename Sum, typename AnyBlock>
inline void RunCodes(const AnyBlock& block, const Channels& channels, const Output& output) {
  if (channels.folded.bias) {
    const ByteClamp clamp(output);
    return EachStrip<MostRows(kWide)>(block, [&](auto count, const Strip& strip) {
      constexpr int kRows = decltype(count)::value;
      EachTile<kRows, 8 * kWide>(block, strip, [&](const auto& tile) {
        RunFolded<kRows, kWide, Sum>(block, tile, channels, clamp);
      });
    });
  }
  const bool twice = channels.rounding == Rounding::kTwice;
  RunThroughMemory<kWide, Sum>(block, [&](const int32_t* sums, int rows, const auto& tile) {
    if (twice) {
      StoreRounded<Rounding::kTwice, kWide>(sums, rows, tile, block.out_stride, channels, output);
    } else {
      StoreRounded<Rounding::kOnce, kWide>(sums, rows, tile, block.out_stride, channels, output);
    }
  });
}

// Eight channels from c of one row, as reals.
inline __m256 Real8(__m256i acc, const HybridChannels& channels, size_t c, __m256i zero_point, __m256 scale) {
  const __m256i sums = LoadLanes(channels.weight_sum + c);
  const __m256 sum = _mm256_cvtepi32_ps(_mm256_sub_epi32(acc, _mm256_mullo_epi32(zero_point, sums)));
  const __m256 own = _mm256_loadu_ps(channels.scale + c);
  const __m256 product = channels.scales_apart ? _mm256_mul_ps(_mm256_mul_ps(sum, own), scale)
                                               : _mm256_mul_ps(sum, _mm256_mul_ps(scale, own));
  const __m256 real = _mm256_add_ps(product, _mm256_loadu_ps(channels.bias + c));
  return _mm256_min_ps(_mm256_max_ps(real, _mm256_set1_ps(channels.low)), _mm256_set1_ps(channels.high));
}

template <int kWide, typename AnyTile>
LOWBIT_NOINLINE void StoreReals(const int32_t* sums, int count, const AnyTile& tile, ptrdiff_t stride,
                                const HybridChannels& channels, const HybridRows& rows) {
  for (int m = 0; m < count; ++m) {
    const ptrdiff_t row = (static_cast<ptrdiff_t>(tile.row) + m) * rows.step;
    const __m256i zero_point = _mm256_set1_epi32(rows.zero_point[row]);
    const __m256 scale = _mm256_set1_ps(rows.scale[row]);
    float* out = tile.out + m * stride;
    for (int j = 0; j < kWide && 8 * j < tile.cols; ++j, sums += 8) {
      const size_t c = tile.channel + 8 * static_cast<size_t>(j);
      const __m256 real = Real8(LoadSums(sums), channels, c, zero_point, scale);
      const int left = tile.cols - 8 * j;
      if (left >= 8) {
        _mm256_storeu_ps(out + 8 * j, real);
      } else {
        alignas(32) float all[8];
        _mm256_store_ps(all, real);
        memcpy(out + 8 * j, all, static_cast<size_t>(left) * sizeof(float));
      }
    }
    if (kWide == 2 && tile.cols <= 8) sums += 8;
  }
}

template <int kWide, typename Sum, typename AnyBlock>
inline void RunReals(const AnyBlock& block, const HybridChannels& channels, const HybridRows& rows) {
  RunThroughMemory<kWide, Sum>(block, [&](const int32_t* sums, int count, const auto& tile) {
    StoreReals<kWide>(sums, count, tile, block.out_stride, channels, rows);
  });
}

}  // namespace
}  // namespace lowbit::kernels::gemm
