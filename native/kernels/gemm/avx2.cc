// GEMM tiles for AVX2.
//
// Method: pairs of int16 products by vpmaddwd, summed in int32; 6 rows x 16 channels fill 12 accumulators.
// Exact:  codes lie in [-128, 127] and weights in [-255, 255], so a pair sums to at most 2 * 128 * 255 =
// 65280; the
//         int32 sums wrap, as the reference's do.
// Reads:  lhs rows inside [0, depth), depth even; panels are zero-padded by pack.cc.
#include "kernels/gemm/avx2.h"

#include <immintrin.h>
#include <string.h>

#include "kernels/requantize/avx2.h"

namespace lowbit::kernels::gemm {

namespace {

constexpr int kMr = 6, kNr = 16, kKr = kDepthInterleave;

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

template <int kRows, Rounding kRounding>
inline void StoreTile(const __m256i (&acc)[kRows][2], const Tile& tile, const Channels& channels,
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

// Eight channels x one pair of weights.
inline __m256i LoadWeights(const int16_t* from) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}
inline __m256i LoadWeights(const int8_t* from) {
  return _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(from)));
}

inline __m256i BroadcastPair(const int16_t* from) {
  int32_t pair;
  memcpy(&pair, from, sizeof pair);
  return _mm256_set1_epi32(pair);
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

// Sums of kRows x kNr; `finish(acc)` is handed the accumulators.
template <int kRows, typename Weight, typename AnyTile, typename Finish>
inline void Accumulate(const AnyTile& tile, bool through_memory, const Finish& finish) {
  __m256i acc[kRows][2];
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) acc[m][0] = acc[m][1] = _mm256_setzero_si256();
  const Weight* weights = static_cast<const Weight*>(tile.packed);
  const int16_t* lhs[kRows];
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) lhs[m] = tile.lhs + m * tile.lhs_stride;
  for (ptrdiff_t k = 0; k < tile.depth; k += kKr) {
    const __m256i w0 = LoadWeights(weights);
    const __m256i w1 = LoadWeights(weights + 16);
    weights += kNr * kKr;
#pragma GCC unroll 6
    for (int m = 0; m < kRows; ++m) {
      const __m256i a = BroadcastPair(lhs[m] + k);
      acc[m][0] = _mm256_add_epi32(acc[m][0], _mm256_madd_epi16(a, w0));
      acc[m][1] = _mm256_add_epi32(acc[m][1], _mm256_madd_epi16(a, w1));
      KeepInRegisters(acc[m][0], acc[m][1]);
    }
  }
  if (through_memory) {  // g++ lets some epilogues reach into the loop and spill its accumulators
    __m256i saved[kRows][2];
#pragma GCC unroll 6
    for (int m = 0; m < kRows; ++m) {
      saved[m][0] = acc[m][0];
      saved[m][1] = acc[m][1];
    }
    Launder(saved);
    return finish(saved);
  }
  finish(acc);
}

template <int kRows, typename Weight, Rounding kRounding>
void RunRows(const Tile& tile, const Channels& channels, const Output& output) {
  Accumulate<kRows, Weight>(tile, kRounding == Rounding::kOnce, [&](const __m256i(&acc)[kRows][2]) {
    StoreTile<kRows, kRounding>(acc, tile, channels, output);
  });
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

template <typename Weight, Rounding kRounding>
void RunTile(const Tile& tile, const Channels& channels, const Output& output) {
  WithRows(tile.rows,
           [&](auto count) { RunRows<decltype(count)::value, Weight, kRounding>(tile, channels, output); });
}

template <typename Weight>
void S8S8_6x16c2(const Tile& tile, const Channels& channels, const Output& output) noexcept {
  switch (channels.rounding) {
    case Rounding::kFolded:
      return RunTile<Weight, Rounding::kFolded>(tile, channels, output);
    case Rounding::kTwice:
      return RunTile<Weight, Rounding::kTwice>(tile, channels, output);
    case Rounding::kOnce:
      return RunTile<Weight, Rounding::kOnce>(tile, channels, output);
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

template <int kRows>
inline void StoreReals(const __m256i (&acc)[kRows][2], const HybridTile& tile, const HybridChannels& channels,
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

template <typename Weight>
void S8F32_6x16c2(const HybridTile& tile, const HybridChannels& channels, const HybridRows& rows) noexcept {
  WithRows(tile.rows, [&](auto count) {
    constexpr int kRows = decltype(count)::value;
    Accumulate<kRows, Weight>(
        tile, true, [&](const __m256i(&acc)[kRows][2]) { StoreReals<kRows>(acc, tile, channels, rows); });
  });
}

void Widen(const int8_t* src, size_t count, uint8_t flip, int16_t* dst) noexcept {
  const __m128i mask = _mm_set1_epi8(static_cast<char>(flip));
  const auto widen16 = [&](size_t i) {
    const __m128i codes = _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(src + i)), mask);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + i), _mm256_cvtepi8_epi16(codes));
  };
  const auto widen8 = [&](size_t i) {
    const __m128i codes = _mm_xor_si128(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(src + i)), mask);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + i), _mm_cvtepi8_epi16(codes));
  };
  size_t i = 0;
  for (; i + 16 <= count; i += 16) widen16(i);
  if (i == count) return;
  if (count >= 16) return widen16(count - 16);  // overlaps the last block
  if (count >= 8) {
    widen8(0);
    return widen8(count - 8);
  }
  for (; i < count; ++i) dst[i] = static_cast<int8_t>(static_cast<uint8_t>(src[i]) ^ flip);
}

constexpr Row kList[] = {
    // best first
    {"gemm.s8s8.6x16c2.avx2", cpu::kAvx2, kMr, kNr, kKr, 2, S8S8_6x16c2<int16_t>, S8F32_6x16c2<int16_t>,
     Widen},
    {"gemm.s8s8.6x16c2.avx2.w8", cpu::kAvx2, kMr, kNr, kKr, 1, S8S8_6x16c2<int8_t>, S8F32_6x16c2<int8_t>,
     Widen},
};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm
