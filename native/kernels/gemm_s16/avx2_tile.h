// 16x8 GEMM tiles of 6 rows x 16 channels in 256 bits, for inclusion by kernel files built with AVX2 or more.
//
// Method: pairs of products in int32, at most kPairsInShortSum of them; then sums of 64 bits in memory.
// Exact:  the contract's bound; MultiplyWide modulo 2^64 by two 32-bit products, for the factor has 15 bits.
// Reads:  lhs runs inside [0, run_depth), even; panels are zero-padded.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/gemm/rows.h"
#include "kernels/gemm_s16/contract.h"
#include "kernels/requantize/wide.h"

namespace lowbit::kernels::gemm_s16 {
namespace {

constexpr int kMr = 6, kNr = 16, kKr = kDepthInterleave;

using Tile = gemm::Tile<int16_t, int16_t>;

// g++ otherwise reorders the row updates and spills accumulators in the loop.
inline void KeepInRegisters(__m256i& a, __m256i& b) {
#if defined(__GNUC__)
  __asm__("" : "+x"(a), "+x"(b));
#else
  (void)a, (void)b;
#endif
}

inline __m256i BroadcastPair(const int16_t* from) {
  int32_t pair;
  memcpy(&pair, from, sizeof pair);
  return _mm256_set1_epi32(pair);
}

// Adds one block of the depth to the sums. `PairSum` adds the products of pairs to an accumulator.
template <int kRows, typename PairSum>
inline void AddBlock(const int16_t* const* rows, ptrdiff_t offset, const int16_t* weights, ptrdiff_t depth,
                     bool is_first, int64_t (&sums)[kMr][kNr]) {
  __m256i acc[kRows][2];
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) acc[m][0] = acc[m][1] = _mm256_setzero_si256();
  const int16_t* lhs[kRows];
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) lhs[m] = rows[m] + offset;
  for (ptrdiff_t k = 0; k < depth; k += kKr, weights += kNr * kKr) {
    const __m256i w0 = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
    const __m256i w1 = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + 16));
#pragma GCC unroll 6
    for (int m = 0; m < kRows; ++m) {
      const __m256i a = BroadcastPair(lhs[m] + k);
      acc[m][0] = PairSum::Add(acc[m][0], a, w0);
      acc[m][1] = PairSum::Add(acc[m][1], a, w1);
      KeepInRegisters(acc[m][0], acc[m][1]);
    }
  }
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 4
    for (int quarter = 0; quarter < 4; ++quarter) {
      const __m256i eight = acc[m][quarter / 2];
      const __m128i four = quarter % 2 ? _mm256_extracti128_si256(eight, 1) : _mm256_castsi256_si128(eight);
      __m256i* sum = reinterpret_cast<__m256i*>(sums[m] + 4 * quarter);
      const __m256i wide = _mm256_cvtepi32_epi64(four);
      _mm256_storeu_si256(sum, is_first ? wide : _mm256_add_epi64(_mm256_loadu_si256(sum), wide));
    }
  }
}

// MultiplyWide of four channels from c on, whose results are then clamped.
struct Wide4 {
  __m256i bias, factor, half, total, lowest;
  Wide4(const Channels& channels, size_t c) {
    bias = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(channels.bias + c));
    const __m128i multiplier = _mm_loadu_si128(reinterpret_cast<const __m128i*>(channels.multiplier + c));
    const __m128i shift = _mm_loadu_si128(reinterpret_cast<const __m128i*>(channels.shift + c));
    // As unsigned the rounded factor is at most 2^15, where the reference has 2^15 - 1.
    const __m128i reduced = _mm_min_epu32(
        _mm_srli_epi32(_mm_add_epi32(multiplier, _mm_set1_epi32(1 << 15)), 16), _mm_set1_epi32(0x7FFF));
    factor = _mm256_cvtepi32_epi64(reduced);
    total = _mm256_cvtepi32_epi64(_mm_sub_epi32(_mm_set1_epi32(15), shift));
    const __m256i one = _mm256_set1_epi64x(1);
    half = _mm256_sllv_epi64(one, _mm256_sub_epi64(total, one));
    lowest = _mm256_srlv_epi64(_mm256_set1_epi64x(INT64_MIN), total);
  }
  // Four int32 in the lower half.
  __m128i operator()(__m256i sum) const {
    const __m256i x = _mm256_add_epi64(sum, bias);
    const __m256i upper = _mm256_slli_epi64(_mm256_mul_epu32(_mm256_srli_epi64(x, 32), factor), 32);
    const __m256i product = _mm256_add_epi64(_mm256_add_epi64(_mm256_mul_epu32(x, factor), upper), half);
    // An arithmetic shift: of the number raised by 2^63, lowered again.
    const __m256i raised = _mm256_xor_si256(product, _mm256_set1_epi64x(INT64_MIN));
    const __m256i scaled = _mm256_sub_epi64(_mm256_srlv_epi64(raised, total), lowest);
    return _mm256_castsi256_si128(
        _mm256_permutevar8x32_epi32(scaled, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6)));
  }
};

inline void StoreOnce(const Tile& tile, int rows, ptrdiff_t stride, const Channels& channels,
                      const int64_t (&sums)[kMr][kNr]) {
  for (int m = 0; m < rows; ++m) {
    for (int n = 0; n < tile.cols; ++n) {
      const size_t c = tile.channel + static_cast<size_t>(n);
      const int32_t scaled = RoundWideOnce(AddWide(sums[m][n], channels.bias[c]), channels.scale[c]);
      const int32_t held = scaled < channels.low    ? channels.low
                           : scaled > channels.high ? channels.high
                                                    : scaled;
      tile.out[m * stride + n] = static_cast<int16_t>(held);
    }
  }
}

inline void Store(const Tile& tile, int rows, ptrdiff_t stride, const Channels& channels,
                  const int64_t (&sums)[kMr][kNr]) {
  if (channels.scale) return StoreOnce(tile, rows, stride, channels, sums);
  const __m128i low = _mm_set1_epi32(channels.low), high = _mm_set1_epi32(channels.high);
  for (int n = 0; n < tile.cols; n += 4) {
    const Wide4 scale(channels, tile.channel + static_cast<size_t>(n));
    for (int m = 0; m < rows; ++m) {
      const __m128i scaled = scale(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums[m] + n)));
      const __m128i held = _mm_min_epi32(_mm_max_epi32(scaled, low), high);
      const __m128i codes = _mm_packs_epi32(held, held);
      int16_t* out = tile.out + m * stride + n;
      if (tile.cols - n >= 4) {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out), codes);
      } else {
        int16_t all[8];
        _mm_storeu_si128(reinterpret_cast<__m128i*>(all), codes);
        memcpy(out, all, static_cast<size_t>(tile.cols - n) * sizeof(int16_t));
      }
    }
  }
}

// Sums of kRows x kNr, block of depth by block.
template <int kRows, typename PairSum>
LOWBIT_NOINLINE void SumRows(const Block& block, const Tile& tile, int64_t (&sums)[kMr][kNr]) {
  const int16_t* weights = static_cast<const int16_t*>(tile.packed);
  bool is_first = true;
  for (int run = 0; run < block.run_count; ++run) {
    for (ptrdiff_t begin = 0; begin < block.run_depth;) {
      const ptrdiff_t left = block.run_depth - begin, most = kKr * kPairsInShortSum;
      const ptrdiff_t depth = left < most ? left : most;
      AddBlock<kRows, PairSum>(tile.lhs, block.runs[run] + begin, weights, depth, is_first, sums);
      weights += depth * kNr;
      begin += depth;
      is_first = false;
    }
  }
  if (is_first) memset(sums, 0, sizeof sums);
}

template <typename PairSum>
void S16S8_6x16c2(const Block& block, const Channels& channels) noexcept {
  gemm::EachStrip<kMr>(block, [&](auto count, const gemm::Strip& strip) {
    constexpr int kRows = decltype(count)::value;
    gemm::EachTile<kRows, kNr>(block, strip, [&](const Tile& tile) {
      alignas(32) int64_t sums[kMr][kNr];
      SumRows<kRows, PairSum>(block, tile, sums);
      Store(tile, kRows, block.out_stride, channels, sums);
    });
  });
}

}  // namespace
}  // namespace lowbit::kernels::gemm_s16
