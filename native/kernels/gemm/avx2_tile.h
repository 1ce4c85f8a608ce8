// What 256-bit GEMM kernels share: tiles of up to 6 rows x 16 channels, and how their sums become output.
// For inclusion by kernel files built with AVX2 or more; everything is in an unnamed namespace.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/gemm/contract.h"
#include "kernels/gemm/rows.h"
#include "kernels/requantize/avx2.h"

namespace lowbit::kernels::gemm {
namespace {

constexpr int kMr = 6, kNr = 16;

// g++ otherwise reorders the row updates, needs more than sixteen registers and spills accumulators in the
// loop.
inline void KeepInRegisters(__m256i& a, __m256i& b) {
#if defined(__GNUC__)
  __asm__("" : "+x"(a), "+x"(b));
#else
  (void)a, (void)b;
#endif
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

inline void StoreRow(int8_t* out, __m128i codes, int cols) {
  if (cols == kNr) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), codes);
  } else {
    alignas(16) int8_t all[kNr];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), codes);
    memcpy(out, all, static_cast<size_t>(cols));
  }
}

// Codes of kRows x 16 sums with the folded bias.
template <int kRows, typename AnyTile>
inline void StoreFolded(const __m256i (&acc)[kRows][2], const AnyTile& tile, ptrdiff_t stride,
                        const Channels& channels, const ByteClamp& clamp) {
  const size_t c = tile.channel;
#pragma GCC unroll 6
  for (int m = 0; m < kRows; m += 2) {
    const int next = m + 1 < kRows ? m + 1 : m;
    const __m256i bytes =
        clamp.Bytes(FoldedCodes8(acc[m][0], channels, c), FoldedCodes8(acc[m][1], channels, c + 8),
                    FoldedCodes8(acc[next][0], channels, c), FoldedCodes8(acc[next][1], channels, c + 8));
    StoreRow(tile.out + m * stride, _mm256_castsi256_si128(bytes), tile.cols);
    if (m + 1 < kRows)
      StoreRow(tile.out + (m + 1) * stride, _mm256_extracti128_si256(bytes, 1), tile.cols);
  }
}

// `Sum` of the functions below: Sum::Add(block, tile, acc) adds the products of the tile to acc.
template <int kRows, typename Sum, typename AnyBlock, typename AnyTile>
LOWBIT_NOINLINE void RunFolded(const AnyBlock& block, const AnyTile& tile, const Channels& channels,
                                   const ByteClamp& clamp) {
  __m256i acc[kRows][2];
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) {
    acc[m][0] = LoadLanes(channels.folded.bias + tile.channel);
    acc[m][1] = LoadLanes(channels.folded.bias + tile.channel + 8);
  }
  Sum::Add(block, tile, acc);
  StoreFolded<kRows>(acc, tile, block.out_stride, channels, clamp);
}

template <int kRows, typename Sum, typename AnyBlock, typename AnyTile>
LOWBIT_NOINLINE void SumTile(const AnyBlock& block, const AnyTile& tile, int32_t* sums) {
  __m256i acc[kRows][2];
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) acc[m][0] = acc[m][1] = _mm256_setzero_si256();
  Sum::Add(block, tile, acc);
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums + kNr * m), acc[m][0]);
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums + kNr * m + 8), acc[m][1]);
  }
}

// Endings that are rare, or that reach into the loop where g++ inlines them: sums go through memory.
// `finish(sums, rows, tile)`: kNr sums a row, without bias.
template <typename Sum, typename AnyBlock, typename Finish>
inline void RunThroughMemory(const AnyBlock& block, const Finish& finish) {
  EachStrip<kMr>(block, [&](auto count, const Strip& strip) {
    constexpr int kRows = decltype(count)::value;
    EachTile<kRows, kNr>(block, strip, [&](const auto& tile) {
      alignas(32) int32_t sums[kRows * kNr];
      SumTile<kRows, Sum>(block, tile, sums);
      finish(sums, kRows, tile);
    });
  });
}

inline __m256i LoadSums(const int32_t* from) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}

template <Rounding kRounding, typename AnyTile>
LOWBIT_NOINLINE void StoreRounded(const int32_t* sums, int rows, const AnyTile& tile, ptrdiff_t stride,
                                  const Channels& channels, const Output& output) {
  const ByteClamp clamp(output);
  const __m256i zero_point = _mm256_set1_epi16(static_cast<int16_t>(output.zero_point));
  for (int m = 0; m < rows; ++m) {
    const __m256i low8 = Scale8<kRounding>(LoadSums(sums + kNr * m), channels, tile.channel);
    const __m256i high8 = Scale8<kRounding>(LoadSums(sums + kNr * m + 8), channels, tile.channel + 8);
    // Saturation to int16 is harmless: such values stay beyond [low, high] with the zero point added.
    const __m256i words = _mm256_adds_epi16(_mm256_packs_epi32(low8, high8), zero_point);
    const __m256i bytes = clamp.BytesOfWords(words, words);
    StoreRow(tile.out + m * stride, _mm256_castsi256_si128(bytes), tile.cols);
  }
}

// Codes by any rounding.
template <typename Sum, typename AnyBlock>
inline void RunCodes(const AnyBlock& block, const Channels& channels, const Output& output) {
  if (channels.rounding == Rounding::kFolded) {
    const ByteClamp clamp(output);
    return EachStrip<kMr>(block, [&](auto count, const Strip& strip) {
      constexpr int kRows = decltype(count)::value;
      EachTile<kRows, kNr>(block, strip, [&](const auto& tile) {
        RunFolded<kRows, Sum>(block, tile, channels, clamp);
      });
    });
  }
  const bool twice = channels.rounding == Rounding::kTwice;
  RunThroughMemory<Sum>(block, [&](const int32_t* sums, int rows, const auto& tile) {
    if (twice) {
      StoreRounded<Rounding::kTwice>(sums, rows, tile, block.out_stride, channels, output);
    } else {
      StoreRounded<Rounding::kOnce>(sums, rows, tile, block.out_stride, channels, output);
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

template <typename AnyTile>
LOWBIT_NOINLINE void StoreReals(const int32_t* sums, int count, const AnyTile& tile, ptrdiff_t stride,
                                const HybridChannels& channels, const HybridRows& rows) {
  for (int m = 0; m < count; ++m) {
    const ptrdiff_t row = (static_cast<ptrdiff_t>(tile.row) + m) * rows.step;
    const __m256i zero_point = _mm256_set1_epi32(rows.zero_point[row]);
    const __m256 scale = _mm256_set1_ps(rows.scale[row]);
    const __m256 low8 = Real8(LoadSums(sums + kNr * m), channels, tile.channel, zero_point, scale);
    const __m256 high8 = Real8(LoadSums(sums + kNr * m + 8), channels, tile.channel + 8, zero_point, scale);
    float* out = tile.out + m * stride;
    if (tile.cols == kNr) {
      _mm256_storeu_ps(out, low8);
      _mm256_storeu_ps(out + 8, high8);
    } else {
      alignas(32) float all[kNr];
      _mm256_store_ps(all, low8);
      _mm256_store_ps(all + 8, high8);
      memcpy(out, all, static_cast<size_t>(tile.cols) * sizeof(float));
    }
  }
}

template <typename Sum, typename AnyBlock>
inline void RunReals(const AnyBlock& block, const HybridChannels& channels, const HybridRows& rows) {
  RunThroughMemory<Sum>(block, [&](const int32_t* sums, int count, const auto& tile) {
    StoreReals(sums, count, tile, block.out_stride, channels, rows);
  });
}

}  // namespace
}  // namespace lowbit::kernels::gemm
