// int32 -> codes for four channels at a time, NEON of AArch64. Equal to scalar.h bit for bit.
// For inclusion by files built with NEON or more.
//
// sqrdmulh is SaturatingRoundingDoublingHighMul itself. srshl rounds halves up, RoundingDivideByPOT away from zero:
// negative numbers lose 1 before it, saturating, where the shift is not 0. fcvtas rounds halves away from zero. So the
// literal rounding is as short as the folded form, whose constants are not read.
#pragma once

#include <arm_neon.h>
#include <string.h>

#include "kernels/requantize/contract.h"

namespace lowbit::kernels {
namespace {

enum class Ending {
  kPlain,    // twice, no left shift, and codes of all x < 0 are clamped: what they lose does not matter
  kSigned,   // twice, no left shift
  kLiteral,  // twice
  kOnce,
};

inline Ending EndingOf(const Channels& channels) {
  if (channels.rounding == Rounding::kOnce) return Ending::kOnce;
  return channels.form == Form::kPlain    ? Ending::kPlain
         : channels.form == Form::kSigned ? Ending::kSigned
                                          : Ending::kLiteral;
}

// Rounds sums that began with the bias, channels c .. c+3; without zero point. Holds its constants: stores of codes
// may change what lies in memory, as far as the compiler knows.
template <Ending kEnding>
struct Rounded4 {
  Rounded4(const Channels& channels, size_t c)
      : multiplier(vld1q_s32(channels.multiplier + c)), right(vnegq_s32(vld1q_s32(channels.right + c))) {
    if constexpr (kEnding == Ending::kLiteral) left = vld1q_s32(channels.left + c);
  }
  int32x4_t operator()(int32x4_t x) const {
    if constexpr (kEnding == Ending::kLiteral) x = vshlq_s32(x, left);
    const int32x4_t r = vqrdmulhq_s32(x, multiplier);
    if constexpr (kEnding == Ending::kPlain) return vrshlq_s32(r, right);
    return vrshlq_s32(vqaddq_s32(r, vshrq_n_s32(vandq_s32(r, right), 31)), right);
  }
  int32x4_t multiplier, right, left;
};

template <>
struct Rounded4<Ending::kOnce> {
  Rounded4(const Channels& channels, size_t c)
      : low(vld1q_f64(channels.scale + c)), high(vld1q_f64(channels.scale + c + 2)) {}
  int32x4_t operator()(int32x4_t x) const {
    const float64x2_t a = vmulq_f64(vcvtq_f64_s64(vmovl_s32(vget_low_s32(x))), low);
    const float64x2_t b = vmulq_f64(vcvtq_f64_s64(vmovl_high_s32(x)), high);
    return vcombine_s32(vqmovn_s64(vcvtaq_s64_f64(a)), vqmovn_s64(vcvtaq_s64_f64(b)));
  }
  float64x2_t low, high;
};

// From rounded sums to bytes, with zero point and clamp; saturation on the way is harmless.
struct ByteClamp {
  int16x8_t zero_point;
  int8x16_t low, high;
  uint8x16_t flip;

  explicit ByteClamp(const Output& output)
      : zero_point(vdupq_n_s16(static_cast<int16_t>(output.zero_point))),
        low(vdupq_n_s8(static_cast<int8_t>(output.low))),
        high(vdupq_n_s8(static_cast<int8_t>(output.high))),
        flip(vdupq_n_u8(output.flip)) {}

  // The four codes of a, then those of b, c and d.
  int8x16_t Bytes(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d) const {
    const int8x16_t bytes = vqmovn_high_s16(vqmovn_s16(Words(a, b)), Words(c, d));
    return vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_s8(vminq_s8(vmaxq_s8(bytes, low), high)), flip));
  }
  int8x8_t Bytes(int32x4_t a, int32x4_t b) const {
    const int8x8_t bytes = vqmovn_s16(Words(a, b));
    return vreinterpret_s8_u8(veor_u8(
        vreinterpret_u8_s8(vmin_s8(vmax_s8(bytes, vget_low_s8(low)), vget_low_s8(high))), vget_low_u8(flip)));
  }

 private:
  int16x8_t Words(int32x4_t a, int32x4_t b) const {
    return vqaddq_s16(vqmovn_high_s32(vqmovn_s32(a), b), zero_point);
  }
};

// The first `count` of kCount bytes, 4 or 8.
template <int kCount>
inline void StoreBytes(int8_t* out, int8x8_t bytes, int count) {
  if (count == kCount && kCount == 8) {
    vst1_s8(out, bytes);
  } else {
    int8_t all[8];
    vst1_s8(all, bytes);
    if (count == kCount)
      memcpy(out, all, kCount);
    else
      memcpy(out, all, static_cast<size_t>(count));
  }
}

// Calls run(ending) with the ending of the layer as a constant.
template <Ending kEnding>
struct EndingIs {
  static constexpr Ending value = kEnding;
};
template <typename Run>
inline void WithEnding(const Channels& channels, const Run& run) {
  switch (EndingOf(channels)) {
    case Ending::kPlain:
      return run(EndingIs<Ending::kPlain>());
    case Ending::kSigned:
      return run(EndingIs<Ending::kSigned>());
    case Ending::kLiteral:
      return run(EndingIs<Ending::kLiteral>());
    case Ending::kOnce:
      return run(EndingIs<Ending::kOnce>());
  }
}

}  // namespace
}  // namespace lowbit::kernels
