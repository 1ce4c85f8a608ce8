// GEMM tiles for NEON of ARMv8.0: 4 rows x 4 channels, eight depths a vector.
//
// Method: smull multiplies eight depths of a row and a channel, smlal adds the products of the next eight, sadalp adds
//         pairs of them to int32 sums, four a row and channel; they are added up at the end.
// Exact:  codes lie in [-128, 127]. With weights in [-127, 127] two products sum to at most 2 * 128 * 127 = 32512,
//         which int16 holds; for weights of -128 each product is added to the sums by itself, 128 * 128 = 16384. The
//         int32 sums wrap, as the reference's do.
// Reads:  lhs runs inside [0, run_depth), a multiple of 8; panels are zero-padded by pack.cc.
#include "kernels/gemm_u8/neon.h"

#include "kernels/gemm/neon_tile.h"

namespace lowbit::kernels::gemm_u8 {

namespace {

template <bool kInPairs>
struct Sum {
  static constexpr int kMr = 4, kNr = 4, kKr = 8;

  template <bool kFlips, typename AnyBlock, typename AnyTile, int kRows>
  static inline void Add(const AnyBlock& block, const AnyTile& tile, int32x4_t (&acc)[kRows][1]) {
    const uint8x16_t flip = vdupq_n_u8(block.flip);
    const int8_t* weights = static_cast<const int8_t*>(tile.packed);
    int32x4_t sums[kRows][kNr];
#pragma GCC unroll 4
    for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 4
      for (int n = 0; n < kNr; ++n) sums[m][n] = vdupq_n_s32(0);
    }
    for (int run = 0; run < block.run_count; ++run) {
      const uint8_t* lhs[kRows];
#pragma GCC unroll 4
      for (int m = 0; m < kRows; ++m) lhs[m] = tile.lhs[m] + block.runs[run];
      ptrdiff_t k = 0;
      for (; k + 2 * kKr <= block.run_depth; k += 2 * kKr, weights += 2 * kNr * kKr) {
        int8x8_t first[kRows], second[kRows];
#pragma GCC unroll 4
        for (int m = 0; m < kRows; ++m) {
          first[m] = gemm::Load8<kFlips>(lhs[m] + k, flip);
          second[m] = gemm::Load8<kFlips>(lhs[m] + k + kKr, flip);
        }
#pragma GCC unroll 4
        for (int n = 0; n < kNr; ++n) {
          const int8x8_t w0 = vld1_s8(weights + kKr * n), w1 = vld1_s8(weights + kKr * (kNr + n));
#pragma GCC unroll 4
          for (int m = 0; m < kRows; ++m) {
            const int16x8_t products = vmull_s8(first[m], w0);
            if constexpr (kInPairs) {
              sums[m][n] = vpadalq_s16(sums[m][n], vmlal_s8(products, second[m], w1));
            } else {
              sums[m][n] = vpadalq_s16(vpadalq_s16(sums[m][n], products), vmull_s8(second[m], w1));
            }
          }
        }
      }
      if (k < block.run_depth) {
#pragma GCC unroll 4
        for (int m = 0; m < kRows; ++m) {
          const int8x8_t a = gemm::Load8<kFlips>(lhs[m] + k, flip);
#pragma GCC unroll 4
          for (int n = 0; n < kNr; ++n)
            sums[m][n] = vpadalq_s16(sums[m][n], vmull_s8(a, vld1_s8(weights + kKr * n)));
        }
        weights += kNr * kKr;
      }
    }
#pragma GCC unroll 4
    for (int m = 0; m < kRows; ++m) {
      const int32x4_t all =
          vpaddq_s32(vpaddq_s32(sums[m][0], sums[m][1]), vpaddq_s32(sums[m][2], sums[m][3]));
      acc[m][0] = vaddq_s32(acc[m][0], all);
    }
  }
};

template <bool kInPairs>
constexpr Row RowOf(const char* name, int32_t least_weight) {
  using Products = Sum<kInPairs>;
  return {name,
          cpu::kNeon,
          Products::kMr,
          Products::kNr,
          Products::kKr,
          0,
          least_weight,
          gemm::RunCodes<Products, Block>,
          gemm::RunReals<Products, HybridBlock>};
}

constexpr Row kList[] = {
    RowOf<true>("gemm.s8s8.4x4c8.neon", -127),
    RowOf<false>("gemm.s8s8.4x4c8.neon.apart", -128),
};

}  // namespace

const Rows kNeon{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_u8
