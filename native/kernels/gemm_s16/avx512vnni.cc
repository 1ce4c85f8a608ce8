// 16x8 GEMM tiles for AVX-512 VNNI: 8 rows x 32 channels, pairs of products by vpdpwssd.
//
// Method: pairs of products in int32, at most kPairsInShortSum of them; then sums of 64 bits in memory.
// Exact:  the contract's bound; 64-bit products wrap as MultiplyWide's do.
// Reads:  lhs rows inside [0, depth), depth even; panels are zero-padded.
#include "kernels/gemm_s16/avx512vnni.h"

#include <immintrin.h>
#include <string.h>

namespace lowbit::kernels::gemm_s16 {

namespace {

constexpr int kMr = 8, kNr = 32, kKr = kDepthInterleave;

// g++ otherwise reorders the row updates and spills accumulators in the loop.
inline void KeepInRegisters(__m512i& a, __m512i& b) {
#if defined(__GNUC__)
  __asm__("" : "+v"(a), "+v"(b));
#else
  (void)a, (void)b;
#endif
}

inline __m512i BroadcastPair(const int16_t* from) {
  int32_t pair;
  memcpy(&pair, from, sizeof pair);
  return _mm512_set1_epi32(pair);
}

// Adds one block of the depth to the sums.
template <int kRows>
inline void AddBlock(const Tile& tile, ptrdiff_t begin, ptrdiff_t end, int64_t (&sums)[kMr][kNr]) {
  __m512i acc[kRows][2];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) acc[m][0] = acc[m][1] = _mm512_setzero_si512();
  const int16_t* weights = static_cast<const int16_t*>(tile.packed) + begin * kNr;
  const int16_t* lhs[kRows];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) lhs[m] = tile.lhs + m * tile.lhs_stride;
  for (ptrdiff_t k = begin; k < end; k += kKr, weights += kNr * kKr) {
    const __m512i w0 = _mm512_load_si512(weights), w1 = _mm512_load_si512(weights + 32);
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
      const __m512i a = BroadcastPair(lhs[m] + k);
      acc[m][0] = _mm512_dpwssd_epi32(acc[m][0], a, w0);
      acc[m][1] = _mm512_dpwssd_epi32(acc[m][1], a, w1);
      KeepInRegisters(acc[m][0], acc[m][1]);
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 4
    for (int quarter = 0; quarter < 4; ++quarter) {
      const __m512i all = acc[m][quarter / 2];
      const __m256i eight = quarter % 2 ? _mm512_extracti64x4_epi64(all, 1) : _mm512_castsi512_si256(all);
      int64_t* sum = sums[m] + 8 * quarter;
      const __m512i wide = _mm512_cvtepi32_epi64(eight);
      _mm512_storeu_si512(sum, begin ? _mm512_add_epi64(_mm512_loadu_si512(sum), wide) : wide);
    }
  }
}

// round(x * scale) of eight lanes, halves away from zero, held to 2^30: RoundWideOnce of requantize/wide.h.
inline __m256i RoundOnce(__m512i x, const double* scale) {
  const __m512d beyond = _mm512_set1_pd(1 << 30), none = _mm512_setzero_pd();
  __m512d product = _mm512_mul_pd(_mm512_cvtepi64_pd(x), _mm512_loadu_pd(scale));
  product = _mm512_max_pd(_mm512_min_pd(product, beyond), _mm512_sub_pd(none, beyond));
  const __m512d whole = _mm512_roundscale_pd(product, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  const __m512d rest = _mm512_sub_pd(product, whole);
  const __m512d one = _mm512_set1_pd(1.0), half = _mm512_set1_pd(0.5);
  const __m512d up = _mm512_mask_add_pd(whole, _mm512_cmp_pd_mask(rest, half, _CMP_GE_OQ), whole, one);
  const __m512d down =
      _mm512_mask_sub_pd(up, _mm512_cmp_pd_mask(rest, _mm512_sub_pd(none, half), _CMP_LE_OQ), up, one);
  return _mm512_cvttpd_epi32(down);
}

// MultiplyWide of requantize/wide.h for eight channels.
struct Wide8 {
  __m512i factor, half, total;
  Wide8(const Channels& channels, size_t c) {
    const __m256i multiplier = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(channels.multiplier + c));
    const __m256i shift = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(channels.shift + c));
    // As unsigned the rounded factor is at most 2^15, where the reference has 2^15 - 1.
    const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(multiplier, _mm256_set1_epi32(1 << 15)), 16);
    factor = _mm512_cvtepi32_epi64(_mm256_min_epu32(rounded, _mm256_set1_epi32(0x7FFF)));
    total = _mm512_cvtepi32_epi64(_mm256_sub_epi32(_mm256_set1_epi32(15), shift));
    const __m512i one = _mm512_set1_epi64(1);
    half = _mm512_sllv_epi64(one, _mm512_sub_epi64(total, one));
  }
  __m256i operator()(__m512i x) const {
    const __m512i product = _mm512_add_epi64(_mm512_mullo_epi64(x, factor), half);
    return _mm512_cvtepi64_epi32(_mm512_srav_epi64(product, total));
  }
};

// Eight columns from n on, of all rows; `scale` gives int32 results.
template <typename Scale>
inline void StoreColumns(const Tile& tile, const Channels& channels, const int64_t (&sums)[kMr][kNr], int n,
                         const Scale& scale) {
  const __m256i low = _mm256_set1_epi32(channels.low), high = _mm256_set1_epi32(channels.high);
  const __m512i bias = _mm512_loadu_si512(channels.bias + tile.channel + n);
  const int left = tile.cols - n;
  const __mmask8 columns = static_cast<__mmask8>(left >= 8 ? 0xFF : (1u << left) - 1);
  for (int m = 0; m < tile.rows; ++m) {
    const __m256i scaled = scale(_mm512_add_epi64(_mm512_loadu_si512(sums[m] + n), bias));
    const __m256i held = _mm256_min_epi32(_mm256_max_epi32(scaled, low), high);
    _mm_mask_storeu_epi16(tile.out + m * tile.out_stride + n, columns, _mm256_cvtepi32_epi16(held));
  }
}

template <int kRows>
void RunRows(const Tile& tile, const Channels& channels) {
  alignas(64) int64_t sums[kMr][kNr];
  ptrdiff_t begin = 0;
  do {
    const ptrdiff_t left = tile.depth - begin, most = kKr * kPairsInShortSum;
    const ptrdiff_t end = begin + (left < most ? left : most);
    AddBlock<kRows>(tile, begin, end, sums);
    begin = end;
  } while (begin < tile.depth);
  for (int n = 0; n < tile.cols; n += 8) {
    const size_t c = tile.channel + static_cast<size_t>(n);
    if (channels.scale) {
      StoreColumns(tile, channels, sums, n, [&](__m512i x) { return RoundOnce(x, channels.scale + c); });
    } else {
      StoreColumns(tile, channels, sums, n, Wide8(channels, c));
    }
  }
}

void S16S8_8x32c2(const Tile& tile, const Channels& channels) noexcept {
  switch (tile.rows) {
    case 1:
      return RunRows<1>(tile, channels);
    case 2:
      return RunRows<2>(tile, channels);
    case 3:
      return RunRows<3>(tile, channels);
    case 4:
      return RunRows<4>(tile, channels);
    case 5:
      return RunRows<5>(tile, channels);
    case 6:
      return RunRows<6>(tile, channels);
    case 7:
      return RunRows<7>(tile, channels);
    default:
      return RunRows<8>(tile, channels);
  }
}

constexpr Row kList[] = {{"gemm.s16s8.8x32c2.avx512vnni", cpu::kAvx512Vnni, kMr, kNr, kKr, S16S8_8x32c2}};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_s16
