// Products of the taps of eight channels, and how their sums become codes, NEON. For inclusion by kernel files built
// with NEON or more; everything is in an unnamed namespace.
#pragma once

#include <arm_neon.h>

#include "kernels/depthwise/contract.h"
#include "kernels/requantize/neon.h"

namespace lowbit::kernels::depthwise {
namespace {

// Sums of eight channels.
struct Sums8 {
  int32x4_t low, high;
};

inline int8x8_t Flipped(const int8_t* from, int8x8_t flip) { return veor_s8(vld1_s8(from), flip); }

// Two taps, or one. Bytes: |w| <= 127, so that two products sum to at most 2 * 128 * 127 = 32512, which int16 holds.
inline void Add(Sums8* sums, int16x8_t products) {
  sums->low = vaddw_s16(sums->low, vget_low_s16(products));
  sums->high = vaddw_high_s16(sums->high, products);
}
inline void AddTap(Sums8* sums, int8x8_t a, const int8_t* w) { Add(sums, vmull_s8(a, vld1_s8(w))); }
inline void AddTaps(Sums8* sums, int8x8_t a, const int8_t* w, int8x8_t b, const int8_t* x) {
  Add(sums, vmlal_s8(vmull_s8(a, vld1_s8(w)), b, vld1_s8(x)));
}
inline void AddTap(Sums8* sums, int8x8_t a, const int16_t* w) {
  const int16x8_t code = vmovl_s8(a), weight = vld1q_s16(w);
  sums->low = vmlal_s16(sums->low, vget_low_s16(code), vget_low_s16(weight));
  sums->high = vmlal_high_s16(sums->high, code, weight);
}
inline void AddTaps(Sums8* sums, int8x8_t a, const int16_t* w, int8x8_t b, const int16_t* x) {
  AddTap(sums, a, w);
  AddTap(sums, b, x);
}

// What turns the sums of eight channels, from `entry` of the constants on, into codes.
template <Ending kEnding>
struct Finish8 {
  Finish8(const Channels& channels, const ByteClamp& the_clamp, size_t entry)
      : bias{vld1q_s32(channels.bias + entry), vld1q_s32(channels.bias + entry + 4)},
        low(channels, entry),
        high(channels, entry + 4),
        clamp(the_clamp) {}
  int8x8_t operator()(const Sums8& sums) const { return clamp.Bytes(low(sums.low), high(sums.high)); }
  int8x16_t operator()(const Sums8& first, const Sums8& second) const {
    return clamp.Bytes(low(first.low), high(first.high), low(second.low), high(second.high));
  }
  const Sums8 bias;
  const Rounded4<kEnding> low, high;
  const ByteClamp& clamp;
};

}  // namespace
}  // namespace lowbit::kernels::depthwise
