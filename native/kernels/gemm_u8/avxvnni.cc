// GEMM tiles for AVX-VNNI, 256 bits: 6 rows x 16 channels or 8 x 8, four depths an instruction (vpdpbusd).
//
// Exact: vpdpbusd adds four products of an unsigned and a signed byte to an int32 without saturating on the
//        way; the int32 sums wrap, as the reference's do.
// Reads: lhs runs inside [0, run_depth), a multiple of 4; panels are zero-padded by pack.cc.
#include "kernels/gemm_u8/avxvnni.h"

#include "kernels/gemm/avx2_tile.h"

namespace lowbit::kernels::gemm_u8 {

namespace {

constexpr int kKr = 4;

inline __m256i Broadcast4(const uint8_t* from) {
  int32_t four;
  memcpy(&four, from, sizeof four);
  return _mm256_set1_epi32(four);
}

struct Sum {
  template <typename AnyBlock, typename AnyTile, int kRows, int kWide>
  static inline void Add(const AnyBlock& block, const AnyTile& tile, __m256i (&acc)[kRows][kWide]) {
    constexpr int kChains = kRows * kWide <= 2 ? 4 : kRows * kWide <= 4 ? 2 : 1;
    const __m256i flip = _mm256_set1_epi8(static_cast<char>(block.flip));
    const int8_t* weights = static_cast<const int8_t*>(tile.packed);
    gemm::InChains<kChains>(acc, [&](__m256i(&sums)[kChains][kRows][kWide]) {
      for (int run = 0; run < block.run_count; ++run) {
        const uint8_t* lhs[kRows];
#pragma GCC unroll 8
        for (int m = 0; m < kRows; ++m) lhs[m] = tile.lhs[m] + block.runs[run];
        ptrdiff_t k = 0;
        gemm::WalkRun<kKr>(sums, block.run_depth, [&](__m256i(&into)[kRows][kWide]) {
          __m256i w[kWide];
#pragma GCC unroll 2
          for (int j = 0; j < kWide; ++j)
            w[j] = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + 32 * j));
          gemm::FetchAhead(weights);
          weights += 32 * kWide;
#pragma GCC unroll 8
          for (int m = 0; m < kRows; ++m) {
            const __m256i a = _mm256_xor_si256(Broadcast4(lhs[m] + k), flip);
#pragma GCC unroll 2
            for (int j = 0; j < kWide; ++j) {
              into[m][j] = _mm256_dpbusd_avx_epi32(into[m][j], a, w[j]);
              gemm::KeepInRegister(into[m][j]);
            }
          }
          k += kKr;
        });
      }
    });
  }
};

template <int kWide>
void U8S8(const Block& block, const Channels& channels, const Output& output) noexcept {
  gemm::RunCodes<kWide, Sum>(block, channels, output);
}

template <int kWide>
void U8F32(const HybridBlock& block, const gemm::HybridChannels& channels,
           const gemm::HybridRows& rows) noexcept {
  gemm::RunReals<kWide, Sum>(block, channels, rows);
}

constexpr Row kList[] = {
    {"gemm.u8s8.6x16c4.avxvnni", cpu::kAvxVnni, gemm::MostRows(2), 16, kKr, 128, -128, U8S8<2>, U8F32<2>},
    {"gemm.u8s8.8x8c4.avxvnni", cpu::kAvxVnni, gemm::MostRows(1), 8, kKr, 128, -128, U8S8<1>, U8F32<1>},
};

}  // namespace

const Rows kAvxVnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_u8
