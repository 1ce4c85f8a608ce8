// GEMM tiles for AVX-VNNI, 256 bits: 6 rows x 16 channels, four depths an instruction (vpdpbusd).
//
// Exact: vpdpbusd adds four products of an unsigned and a signed byte to an int32 without saturating on the
//        way; the int32 sums wrap, as the reference's do.
// Reads: lhs runs inside [0, run_depth), a multiple of 4; panels are zero-padded by pack.cc.
#include "kernels/gemm_u8/avxvnni.h"

#include "kernels/gemm/avx2_tile.h"

namespace lowbit::kernels::gemm_u8 {

namespace {

using gemm::kMr;
using gemm::kNr;
constexpr int kKr = kDepthInterleave;

inline __m256i Broadcast4(const uint8_t* from) {
  int32_t four;
  memcpy(&four, from, sizeof four);
  return _mm256_set1_epi32(four);
}

struct Sum {
  template <typename AnyBlock, typename AnyTile, int kRows>
  static inline void Add(const AnyBlock& block, const AnyTile& tile, __m256i (&acc)[kRows][2]) {
    const __m256i flip = _mm256_set1_epi8(static_cast<char>(block.flip));
    const int8_t* weights = static_cast<const int8_t*>(tile.packed);
    for (int run = 0; run < block.run_count; ++run) {
      const uint8_t* lhs[kRows];
#pragma GCC unroll 6
      for (int m = 0; m < kRows; ++m) lhs[m] = tile.lhs[m] + block.runs[run];
      for (ptrdiff_t k = 0; k < block.run_depth; k += kKr) {
        const __m256i w0 = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
        const __m256i w1 = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + 32));
        weights += kNr * kKr;
#pragma GCC unroll 6
        for (int m = 0; m < kRows; ++m) {
          const __m256i a = _mm256_xor_si256(Broadcast4(lhs[m] + k), flip);
          acc[m][0] = _mm256_dpbusd_avx_epi32(acc[m][0], a, w0);
          acc[m][1] = _mm256_dpbusd_avx_epi32(acc[m][1], a, w1);
          gemm::KeepInRegisters(acc[m][0], acc[m][1]);
        }
      }
    }
  }
};

void U8S8_6x16c4(const Block& block, const Channels& channels, const Output& output) noexcept {
  gemm::RunCodes<Sum>(block, channels, output);
}

void U8F32_6x16c4(const HybridBlock& block, const gemm::HybridChannels& channels,
                  const gemm::HybridRows& rows) noexcept {
  gemm::RunReals<Sum>(block, channels, rows);
}

constexpr Row kList[] = {
    {"gemm.u8s8.6x16c4.avxvnni", cpu::kAvxVnni, kMr, kNr, kKr, U8S8_6x16c4, U8F32_6x16c4},
};

}  // namespace

const Rows kAvxVnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_u8
