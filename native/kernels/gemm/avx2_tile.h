// What 256-bit GEMM kernels share: tiles of up to 6 rows x 16 channels, and how their sums become output.
// For inclusion by kernel files built with AVX2 or more; everything is in an unnamed namespace.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/gemm/contract.h"
#include "kernels/requantize/avx2.h"

namespace lowbit::kernels::gemm {
namespace {

constexpr int kMr = 6, kNr = 16;

// Sixteen int32 -> int16 with zero point and clamp; columns in the order 0-3 8-11 4-7 12-15.
template <Rounding kRounding>
inline __m256i Finish(__m256i low8, __m256i high8, const Channels& channels, size_t c, __m256i zero_point,
                      __m256i low, __m256i high) {
  const __m256i wide =
      _mm256_packs_epi32(Scale8<kRounding>(low8, channels, c), Scale8<kRounding>(high8, channels, c + 8));
  // Saturation to int16 is harmless: such values stay beyond [low, high] with the zero point added.
  return _mm256_min_epi16(_mm256_max_epi16(_mm256_adds_epi16(wide, zero_point), low), high);
}

inline void StoreRow(int8_t* out, __m128i codes, int cols) {
  if (cols == kNr) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), codes);
  } else {
    alignas(16) int8_t all[kNr];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), codes);
    memcpy(out, all, static_cast<size_t>(cols));
  }
}

template <int kRows, Rounding kRounding, typename AnyTile>
inline void StoreTile(const __m256i (&acc)[kRows][2], const AnyTile& tile, const Channels& channels,
                      const Output& output) {
  const __m256i zero_point = _mm256_set1_epi16(static_cast<int16_t>(output.zero_point));
  const __m256i low = _mm256_set1_epi16(static_cast<int16_t>(output.low));
  const __m256i high = _mm256_set1_epi16(static_cast<int16_t>(output.high));
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(output.flip));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
#pragma GCC unroll 6
  for (int m = 0; m < kRows; m += 2) {
    const __m256i first =
        Finish<kRounding>(acc[m][0], acc[m][1], channels, tile.channel, zero_point, low, high);
    const __m256i second = m + 1 < kRows ? Finish<kRounding>(acc[m + 1 < kRows ? m + 1 : m][0],
                                                             acc[m + 1 < kRows ? m + 1 : m][1], channels,
                                                             tile.channel, zero_point, low, high)
                                         : first;
    const __m256i codes =
        _mm256_xor_si256(_mm256_permutevar8x32_epi32(_mm256_packs_epi16(first, second), order), flip);
    StoreRow(tile.out + m * tile.out_stride, _mm256_castsi256_si128(codes), tile.cols);
    if (m + 1 < kRows) {
      StoreRow(tile.out + (m + 1) * tile.out_stride, _mm256_extracti128_si256(codes, 1), tile.cols);
    }
  }
}

// g++ otherwise reorders the row updates, needs more than sixteen registers and spills accumulators in the
// loop.
inline void KeepInRegisters(__m256i& a, __m256i& b) {
#if defined(__GNUC__)
  __asm__("" : "+x"(a), "+x"(b));
#else
  (void)a, (void)b;
#endif
}

// The compiler must take what `memory` points to as unknown.
inline void Launder(void* memory) {
#if defined(__GNUC__)
  __asm__ volatile("" : : "r"(memory) : "memory");
#else
  (void)memory;
#endif
}

// Calls run with the number of rows as a constant.
template <int kRows>
struct RowCount {
  static constexpr int value = kRows;
};
template <typename Run>
inline void WithRows(int rows, const Run& run) {
  switch (rows) {
    case 1:
      return run(RowCount<1>());
    case 2:
      return run(RowCount<2>());
    case 3:
      return run(RowCount<3>());
    case 4:
      return run(RowCount<4>());
    case 5:
      return run(RowCount<5>());
    default:
      return run(RowCount<6>());
  }
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

template <int kRows, typename AnyTile>
inline void StoreReals(const __m256i (&acc)[kRows][2], const AnyTile& tile, const HybridChannels& channels,
                       const HybridRows& rows) {
  for (int m = 0; m < kRows; ++m) {
    const __m256i zero_point = _mm256_set1_epi32(rows.zero_point[m * rows.step]);
    const __m256 scale = _mm256_set1_ps(rows.scale[m * rows.step]);
    const __m256 low8 = Real8(acc[m][0], channels, tile.channel, zero_point, scale);
    const __m256 high8 = Real8(acc[m][1], channels, tile.channel + 8, zero_point, scale);
    float* out = tile.out + m * tile.out_stride;
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

}  // namespace
}  // namespace lowbit::kernels::gemm
