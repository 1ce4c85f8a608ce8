// GEMM tiles for AVX2.
//
// Method: pairs of int16 products by vpmaddwd, summed in int32; 6 rows x 16 channels fill 12 accumulators, 8 rows
//         x 8 channels serve where 16 would be half empty.
// Exact:  codes lie in [-128, 127] and weights in [-255, 255]: a pair sums to at most 2 * 128 * 255 = 65280.
//         The int32 sums wrap, as the reference's do.
// Reads:  lhs runs inside [0, run_depth), even; panels are zero-padded by pack.cc.
#include "kernels/gemm/avx2.h"

#include "kernels/gemm/avx2_tile.h"

namespace lowbit::kernels::gemm {

namespace {

constexpr int kKr = kDepthInterleave;

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

template <typename Weight>
struct Sum {
  template <typename AnyBlock, typename AnyTile, int kRows, int kWide>
  static inline void Add(const AnyBlock& block, const AnyTile& tile, __m256i (&acc)[kRows][kWide]) {
    constexpr int kChains = kRows * kWide <= 2 ? 2 : 1;
    const Weight* weights = static_cast<const Weight*>(tile.packed);
    InChains<kChains>(acc, [&](__m256i(&sums)[kChains][kRows][kWide]) {
      for (int run = 0; run < block.run_count; ++run) {
        const int16_t* lhs[kRows];
#pragma GCC unroll 8
        for (int m = 0; m < kRows; ++m) lhs[m] = tile.lhs[m] + block.runs[run];
        ptrdiff_t k = 0;
        WalkRun<kKr>(sums, block.run_depth, [&](__m256i(&into)[kRows][kWide]) {
          __m256i w[kWide];
#pragma GCC unroll 2
          for (int j = 0; j < kWide; ++j) w[j] = LoadWeights(weights + 16 * j);
          FetchAhead(weights);
          weights += 16 * kWide;
#pragma GCC unroll 8
          for (int m = 0; m < kRows; ++m) {
            const __m256i a = BroadcastPair(lhs[m] + k);
#pragma GCC unroll 2
            for (int j = 0; j < kWide; ++j) {
              into[m][j] = _mm256_add_epi32(into[m][j], _mm256_madd_epi16(a, w[j]));
              KeepInRegister(into[m][j]);
            }
          }
          k += kKr;
        });
      }
    });
  }
};

template <int kWide, typename Weight>
void S8S8(const Block& block, const Channels& channels, const Output& output) noexcept {
  RunCodes<kWide, Sum<Weight>>(block, channels, output);
}

template <int kWide, typename Weight>
void S8F32(const HybridBlock& block, const HybridChannels& channels, const HybridRows& rows) noexcept {
  RunReals<kWide, Sum<Weight>>(block, channels, rows);
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
    {"gemm.s8s8.6x16c2.avx2", cpu::kAvx2, MostRows(2), 16, kKr, 2, S8S8<2, int16_t>, S8F32<2, int16_t>,
     Widen},
    {"gemm.s8s8.8x8c2.avx2", cpu::kAvx2, MostRows(1), 8, kKr, 2, S8S8<1, int16_t>, S8F32<1, int16_t>, Widen},
    {"gemm.s8s8.6x16c2.avx2.w8", cpu::kAvx2, MostRows(2), 16, kKr, 1, S8S8<2, int8_t>, S8F32<2, int8_t>,
     Widen},
    {"gemm.s8s8.8x8c2.avx2.w8", cpu::kAvx2, MostRows(1), 8, kKr, 1, S8S8<1, int8_t>, S8F32<1, int8_t>, Widen},
};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm
