// GEMM tiles for NEON with dot products: 8 rows x 8 channels, four depths an instruction (sdot by element).
//
// Exact: sdot adds four products of bytes to an int32 without saturating on the way; the int32 sums wrap, as the
//        reference's do.
// Reads: lhs runs inside [0, run_depth), a multiple of 4; panels are zero-padded by pack.cc.
#include "kernels/gemm_u8/neondot.h"

#include "kernels/gemm/neon_tile.h"

namespace lowbit::kernels::gemm_u8 {

namespace {

struct Sum {
  static constexpr int kMr = 8, kNr = 8, kKr = 4;

  // Four depths of all rows: group kGroup of the sixteen in `a`.
  template <int kGroup, int kRows>
  static inline void Step(int32x4_t (&acc)[kRows][2], const int8x16_t (&a)[kRows], const int8_t* weights) {
    const int8x16_t w0 = vld1q_s8(weights), w1 = vld1q_s8(weights + 16);
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
      acc[m][0] = vdotq_laneq_s32(acc[m][0], w0, a[m], kGroup);
      acc[m][1] = vdotq_laneq_s32(acc[m][1], w1, a[m], kGroup);
    }
  }

  template <bool kFlips, typename AnyBlock, typename AnyTile, int kRows>
  static inline void Add(const AnyBlock& block, const AnyTile& tile, int32x4_t (&acc)[kRows][2]) {
    const uint8x16_t flip = vdupq_n_u8(block.flip);
    const int8_t* weights = static_cast<const int8_t*>(tile.packed);
    constexpr int kGroupBytes = kNr * kKr;
    for (int run = 0; run < block.run_count; ++run) {
      const uint8_t* lhs[kRows];
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) lhs[m] = tile.lhs[m] + block.runs[run];
      ptrdiff_t k = 0;
      for (; k + 4 * kKr <= block.run_depth; k += 4 * kKr, weights += 4 * kGroupBytes) {
        int8x16_t a[kRows];
#pragma GCC unroll 8
        for (int m = 0; m < kRows; ++m) a[m] = gemm::Load16<kFlips>(lhs[m] + k, flip);
        Step<0>(acc, a, weights);
        Step<1>(acc, a, weights + kGroupBytes);
        Step<2>(acc, a, weights + 2 * kGroupBytes);
        Step<3>(acc, a, weights + 3 * kGroupBytes);
      }
      for (; k < block.run_depth; k += kKr, weights += kGroupBytes) {
        int8x16_t a[kRows];
#pragma GCC unroll 8
        for (int m = 0; m < kRows; ++m) {
          uint32_t four;
          memcpy(&four, lhs[m] + k, sizeof four);
          const uint8x16_t bytes = vreinterpretq_u8_u32(vdupq_n_u32(four));
          a[m] = vreinterpretq_s8_u8(kFlips ? veorq_u8(bytes, flip) : bytes);
        }
        Step<0>(acc, a, weights);
      }
    }
  }
};

constexpr Row kList[] = {{"gemm.s8s8.8x8c4.neondot", cpu::kNeonDot, Sum::kMr, Sum::kNr, Sum::kKr, 0, -128,
                          gemm::RunCodes<Sum, Block>, gemm::RunReals<Sum, HybridBlock>}};

}  // namespace

const Rows kNeonDot{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_u8
