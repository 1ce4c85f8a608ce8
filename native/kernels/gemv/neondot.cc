// Rows times weights for NEON with dot products: 64 channels a panel, four depths an instruction (sdot).
//
// Exact: sdot adds four products of bytes to an int32 without saturating on the way; the int32 sums wrap, as the
//        reference's do.
// Reads: lhs inside [0, depth), a multiple of 4; panels are zero-padded by pack.cc.
#include "kernels/gemv/neondot.h"

#include "kernels/gemv/neon_panel.h"

namespace lowbit::kernels::gemv {

namespace {

constexpr int kWide = 8;

struct Sum {
  int32x4_t low = {}, high = {};

  void Add(int8x16_t lhs, const int8_t* weights) {
    low = vdotq_s32(low, vld1q_s8(weights), lhs);
    high = vdotq_s32(high, vld1q_s8(weights + 16), lhs);
  }
  int32x4_t Low() const { return low; }
  int32x4_t High() const { return high; }
};

constexpr Row kList[] = {{"gemv.s8s8.1x64c4.neondot", cpu::kNeonDot, 8 * kWide, 8, 0, -128, Run<Sum, kWide>}};

}  // namespace

const Rows kNeonDot{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemv
