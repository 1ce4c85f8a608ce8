// Rows times weights for NEON of ARMv8.0: 32 channels a panel, four depths at once.
//
// Method: smull multiplies four depths of two channels, sadalp adds pairs of the products to int32 sums.
// Exact:  a product is at most 128 * 128 and by itself in int16. The int32 sums wrap, as the reference's do.
// Reads:  lhs inside [0, depth), a multiple of 4; panels are zero-padded by pack.cc.
#include "kernels/gemv/neon.h"

#include "kernels/gemv/neon_panel.h"

namespace lowbit::kernels::gemv {

namespace {

constexpr int kWide = 4;

struct Sum {
  int32x4_t pairs[4] = {};  // two of two channels each

  void Add(int8x16_t lhs, const int8_t* weights) {
    const int8x16_t first = vld1q_s8(weights), second = vld1q_s8(weights + 16);
    pairs[0] = vpadalq_s16(pairs[0], vmull_s8(vget_low_s8(first), vget_low_s8(lhs)));
    pairs[1] = vpadalq_s16(pairs[1], vmull_high_s8(first, lhs));
    pairs[2] = vpadalq_s16(pairs[2], vmull_s8(vget_low_s8(second), vget_low_s8(lhs)));
    pairs[3] = vpadalq_s16(pairs[3], vmull_high_s8(second, lhs));
  }
  int32x4_t Low() const { return vpaddq_s32(pairs[0], pairs[1]); }
  int32x4_t High() const { return vpaddq_s32(pairs[2], pairs[3]); }
};

constexpr Row kList[] = {{"gemv.s8s8.1x32c4.neon", cpu::kNeon, 8 * kWide, 8, 0, -128, Run<Sum, kWide>}};

}  // namespace

const Rows kNeon{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemv
