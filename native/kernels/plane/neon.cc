// Planes for NEON, 16 bytes at once, by smlal.
// Exact: |a * a_low + b * b_low| <= 2^23 and rest < 2^30; the high parts give at most 2^23. Saturation to int16
//        and int8 keeps codes beyond [low, high] beyond it.
#include "kernels/plane/neon.h"

#include <arm_neon.h>
#include <string.h>

namespace lowbit::kernels::plane {
namespace {

struct Constants {
  int16x4_t slopes;  // a_low, b_low, a_high, b_high
  int32x4_t rest, shift;
  int16x8_t whole;
  int8x16_t low, high;
  uint8x16_t flip;
  explicit Constants(const Plane& p)
      : rest(vdupq_n_s32(p.rest)),
        shift(vdupq_n_s32(-p.shift)),
        whole(vdupq_n_s16(static_cast<int16_t>(p.whole))),
        low(vdupq_n_s8(static_cast<int8_t>(p.low))),
        high(vdupq_n_s8(static_cast<int8_t>(p.high))),
        flip(vdupq_n_u8(p.flip)) {
    const int16_t all[4] = {p.a_low, p.b_low, p.a_high, p.b_high};
    slopes = vld1_s16(all);
  }

  int16x4_t Four(int16x4_t a, int16x4_t b) const {
    const int32x4_t fine = vshrq_n_s32(vmlal_lane_s16(vmlal_lane_s16(rest, a, slopes, 0), b, slopes, 1), 15);
    return vqmovn_s32(vshlq_s32(vmlal_lane_s16(vmlal_lane_s16(fine, a, slopes, 2), b, slopes, 3), shift));
  }
  int8x8_t Eight(int8x8_t a, int8x8_t b) const {
    const int16x8_t x = vmovl_s8(a), y = vmovl_s8(b);
    const int16x8_t codes =
        vcombine_s16(Four(vget_low_s16(x), vget_low_s16(y)), Four(vget_high_s16(x), vget_high_s16(y)));
    return vqmovn_s16(vqaddq_s16(codes, whole));
  }
  uint8x16_t Block(uint8x16_t a, uint8x16_t b) const {
    const int8x16_t x = vreinterpretq_s8_u8(veorq_u8(a, flip)), y = vreinterpretq_s8_u8(veorq_u8(b, flip));
    const int8x16_t bytes =
        vcombine_s8(Eight(vget_low_s8(x), vget_low_s8(y)), Eight(vget_high_s8(x), vget_high_s8(y)));
    return veorq_u8(vreinterpretq_u8_s8(vminq_s8(vmaxq_s8(bytes, low), high)), flip);
  }
};

void Run(const Plane& p, const uint8_t* a, const uint8_t* b, uint8_t* out, size_t count) {
  const Constants constants(p);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) vst1q_u8(out + i, constants.Block(vld1q_u8(a + i), vld1q_u8(b + i)));
  if (i == count) return;
  uint8_t x[16] = {}, y[16] = {};
  memcpy(x, a + i, count - i);
  memcpy(y, b + i, count - i);
  vst1q_u8(x, constants.Block(vld1q_u8(x), vld1q_u8(y)));
  memcpy(out + i, x, count - i);
}

constexpr Row kList[] = {{"plane.b8.neon", cpu::kNeon, Run}};

}  // namespace

const Rows kNeon{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::plane
