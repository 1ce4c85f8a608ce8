// GEMM tiles for NEON with int8 matrix products: 8 rows x 8 channels, of which an instruction (smmla) takes two by
// two, eight depths.
//
// Exact: smmla adds eight products of bytes to an int32 without saturating on the way; the int32 sums wrap, as the
//        reference's do.
// Reads: lhs runs inside [0, run_depth), a multiple of 8; panels are zero-padded by pack.cc.
#include "kernels/gemm_u8/neoni8mm.h"

#include "kernels/gemm/neon_tile.h"

namespace lowbit::kernels::gemm_u8 {

namespace {

inline int8x16_t Low(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s64(vzip1q_s64(vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b)));
}
inline int8x16_t High(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s64(vzip2q_s64(vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b)));
}

struct Sum {
  static constexpr int kMr = 8, kNr = 8, kKr = 8;

  // Eight depths of all pairs of rows, under four pairs of channels.
  template <int kPairs>
  static inline void Step(int32x4_t (&sums)[kPairs][4], const int8x16_t (&a)[kPairs], const int8_t* weights) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const int8x16_t w = vld1q_s8(weights + 16 * j);
#pragma GCC unroll 4
      for (int p = 0; p < kPairs; ++p) sums[p][j] = vmmlaq_s32(sums[p][j], a[p], w);
    }
  }

  template <bool kFlips, typename AnyBlock, typename AnyTile, int kRows>
  static inline void Add(const AnyBlock& block, const AnyTile& tile, int32x4_t (&acc)[kRows][2]) {
    constexpr int kPairs = (kRows + 1) / 2, kGroupBytes = kNr * kKr;
    const uint8x16_t flip = vdupq_n_u8(block.flip);
    const int8_t* weights = static_cast<const int8_t*>(tile.packed);
    int32x4_t sums[kPairs][4];  // (row 2p, channels 2j and 2j + 1), (row 2p + 1, the same)
#pragma GCC unroll 4
    for (int p = 0; p < kPairs; ++p) {
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) sums[p][j] = vdupq_n_s32(0);
    }
    for (int run = 0; run < block.run_count; ++run) {
      const uint8_t* lhs[2 * kPairs];
#pragma GCC unroll 8
      for (int m = 0; m < 2 * kPairs; ++m) lhs[m] = tile.lhs[m < kRows ? m : kRows - 1] + block.runs[run];
      ptrdiff_t k = 0;
      for (; k + 2 * kKr <= block.run_depth; k += 2 * kKr, weights += 2 * kGroupBytes) {
        int8x16_t first[kPairs], second[kPairs];
#pragma GCC unroll 4
        for (int p = 0; p < kPairs; ++p) {
          const int8x16_t upper = gemm::Load16<kFlips>(lhs[2 * p] + k, flip);
          const int8x16_t lower = gemm::Load16<kFlips>(lhs[2 * p + 1] + k, flip);
          first[p] = Low(upper, lower);
          second[p] = High(upper, lower);
        }
        Step(sums, first, weights);
        Step(sums, second, weights + kGroupBytes);
      }
      if (k < block.run_depth) {
        int8x16_t last[kPairs];
#pragma GCC unroll 4
        for (int p = 0; p < kPairs; ++p) {
          last[p] = vcombine_s8(gemm::Load8<kFlips>(lhs[2 * p] + k, flip),
                                gemm::Load8<kFlips>(lhs[2 * p + 1] + k, flip));
        }
        Step(sums, last, weights);
        weights += kGroupBytes;
      }
    }
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
      for (int j = 0; j < 2; ++j) {
        const int64x2_t a = vreinterpretq_s64_s32(sums[m / 2][2 * j]);
        const int64x2_t b = vreinterpretq_s64_s32(sums[m / 2][2 * j + 1]);
        const int64x2_t four = m % 2 ? vzip2q_s64(a, b) : vzip1q_s64(a, b);
        acc[m][j] = vaddq_s32(acc[m][j], vreinterpretq_s32_s64(four));
      }
    }
  }
};

constexpr Row kList[] = {{"gemm.s8s8.8x8c8.neoni8mm", cpu::kNeonI8mm, Sum::kMr, Sum::kNr, Sum::kKr, 0, -128,
                          gemm::RunCodes<Sum, Block>, gemm::RunReals<Sum, HybridBlock>}};

}  // namespace

const Rows kNeonI8mm{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_u8
