// Real numbers to codes and back for NEON, eight elements at once.
// Exact: the quotient is divided as the reference divides it; fcvtas rounds halves away from zero, saturates, and makes
//        0 of NaN.
#include "kernels/affine/neon.h"

#include <arm_neon.h>
#include <string.h>

namespace lowbit::kernels::affine {
namespace {

constexpr size_t kAtOnce = 8;

inline int16x8_t Widen(const int8_t* from) { return vmovl_s8(vld1_s8(from)); }
inline int16x8_t Widen(const uint8_t* from) { return vreinterpretq_s16_u16(vmovl_u8(vld1_u8(from))); }
// Codes lie in the type's range.
inline void Store(int8_t* to, int16x8_t codes) { vst1_s8(to, vmovn_s16(codes)); }
inline void Store(uint8_t* to, int16x8_t codes) { vst1_u8(to, vmovn_u16(vreinterpretq_u16_s16(codes))); }

// Calls block(from, to) for eight elements at a time, the rest by way of buffers.
template <typename From, typename To, typename Block>
inline void Blocks(const void* in, void* out, size_t count, const Block& block) {
  const From* from = static_cast<const From*>(in);
  To* to = static_cast<To*>(out);
  size_t i = 0;
  for (; i + kAtOnce <= count; i += kAtOnce) block(from + i, to + i);
  if (i == count) return;
  From some[kAtOnce] = {};
  To codes[kAtOnce];
  memcpy(some, from + i, (count - i) * sizeof(From));
  block(some, codes);
  memcpy(to + i, codes, (count - i) * sizeof(To));
}

template <typename T>
void Quantize(const Params& p, const void* in, void* out, size_t count) {
  const float32x4_t scale = vdupq_n_f32(p.scale);
  const int32x4_t zero_point = vdupq_n_s32(p.zero_point);
  const int32x4_t low = vdupq_n_s32(p.low), high = vdupq_n_s32(p.high);
  const auto four = [&](const float* from) {
    const int32x4_t code = vqaddq_s32(vcvtaq_s32_f32(vdivq_f32(vld1q_f32(from), scale)), zero_point);
    return vmovn_s32(vminq_s32(vmaxq_s32(code, low), high));
  };
  Blocks<float, T>(in, out, count,
                   [&](const float* from, T* to) { Store(to, vcombine_s16(four(from), four(from + 4))); });
}

template <typename T>
void Dequantize(const Params& p, const void* in, void* out, size_t count) {
  const int32x4_t zero_point = vdupq_n_s32(p.zero_point);
  const auto real = [&](int32x4_t code) {
    return vmulq_n_f32(vcvtq_f32_s32(vsubq_s32(code, zero_point)), p.scale);
  };
  Blocks<T, float>(in, out, count, [&](const T* from, float* to) {
    const int16x8_t codes = Widen(from);
    vst1q_f32(to, real(vmovl_s16(vget_low_s16(codes))));
    vst1q_f32(to + 4, real(vmovl_high_s16(codes)));
  });
}

constexpr Row kList[] = {
    {"quantize.f32s8.neon", cpu::kNeon, Kind::kQuantizeS8, Quantize<int8_t>},
    {"quantize.f32u8.neon", cpu::kNeon, Kind::kQuantizeU8, Quantize<uint8_t>},
    {"dequantize.s8f32.neon", cpu::kNeon, Kind::kDequantizeS8, Dequantize<int8_t>},
    {"dequantize.u8f32.neon", cpu::kNeon, Kind::kDequantizeU8, Dequantize<uint8_t>},
};

}  // namespace

const Rows kNeon{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::affine
