// GEMM tiles for NEON: 8 rows x 8 channels of int16, for weights that do not fit the byte kernels (gemm_u8).
//
// Method: smlal by element, four channels and one depth an instruction, summed in int32.
// Exact:  codes lie in [-128, 127] and weights in [-255, 255]; the int32 sums wrap, as the reference's do.
// Reads:  lhs runs inside [0, run_depth), even; panels are zero-padded by pack.cc.
#include "kernels/gemm/neon.h"

#include "kernels/gemm/neon_tile.h"

namespace lowbit::kernels::gemm {

namespace {

struct Sum {
  static constexpr int kMr = 8, kNr = 8, kKr = kDepthInterleave;

  // The depths kLane and kLane + 1 of `a`, of which kLane is even.
  template <int kLane, int kRows>
  static inline void Step(int32x4_t (&acc)[kRows][2], const int16x4_t (&a)[kRows], const int16_t* weights) {
    const int16x8x2_t w = vld2q_s16(weights);  // eight channels at one depth, and at the next
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
      acc[m][0] = vmlal_lane_s16(acc[m][0], vget_low_s16(w.val[0]), a[m], kLane);
      acc[m][1] = vmlal_high_lane_s16(acc[m][1], w.val[0], a[m], kLane);
    }
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
      acc[m][0] = vmlal_lane_s16(acc[m][0], vget_low_s16(w.val[1]), a[m], kLane + 1);
      acc[m][1] = vmlal_high_lane_s16(acc[m][1], w.val[1], a[m], kLane + 1);
    }
  }

  template <bool kFlips, typename AnyBlock, typename AnyTile, int kRows>
  static inline void Add(const AnyBlock& block, const AnyTile& tile, int32x4_t (&acc)[kRows][2]) {
    const int16_t* weights = static_cast<const int16_t*>(tile.packed);
    constexpr int kGroup = kNr * kKr;
    for (int run = 0; run < block.run_count; ++run) {
      const int16_t* lhs[kRows];
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) lhs[m] = tile.lhs[m] + block.runs[run];
      ptrdiff_t k = 0;
      for (; k + 2 * kKr <= block.run_depth; k += 2 * kKr, weights += 2 * kGroup) {
        int16x4_t a[kRows];
#pragma GCC unroll 8
        for (int m = 0; m < kRows; ++m) a[m] = vld1_s16(lhs[m] + k);
        Step<0>(acc, a, weights);
        Step<2>(acc, a, weights + kGroup);
      }
      if (k < block.run_depth) {
        int16x4_t a[kRows];
#pragma GCC unroll 8
        for (int m = 0; m < kRows; ++m) {
          uint32_t two;
          memcpy(&two, lhs[m] + k, sizeof two);
          a[m] = vreinterpret_s16_u32(vdup_n_u32(two));
        }
        Step<0>(acc, a, weights);
        weights += kGroup;
      }
    }
  }
};

void Widen(const int8_t* src, size_t count, uint8_t flip, int16_t* dst) noexcept {
  const uint8x16_t mask = vdupq_n_u8(flip);
  const auto widen16 = [&](size_t i) {
    const int8x16_t codes = Load16<true>(reinterpret_cast<const uint8_t*>(src + i), mask);
    vst1q_s16(dst + i, vmovl_s8(vget_low_s8(codes)));
    vst1q_s16(dst + i + 8, vmovl_high_s8(codes));
  };
  size_t i = 0;
  for (; i + 16 <= count; i += 16) widen16(i);
  if (i == count) return;
  if (count >= 16) return widen16(count - 16);  // overlaps the last block
  for (; i < count; ++i) dst[i] = static_cast<int8_t>(static_cast<uint8_t>(src[i]) ^ flip);
}

constexpr Row kList[] = {{"gemm.s8s8.8x8c2.neon", cpu::kNeon, Sum::kMr, Sum::kNr, Sum::kKr, 2,
                          RunCodes<Sum, Block>, RunReals<Sum, HybridBlock>, Widen}};

}  // namespace

const Rows kNeon{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm
