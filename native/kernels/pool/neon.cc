// Pooling of bytes for NEON, eight channels at once; fewer than eight go one by one.
//
// Exact: sums of n taps are at most 255 n. An average is the sum and half of n, divided in float64 and cut: a quotient
//        that is no integer is at least 1 / n > 2^-23 from one, and float64 is nearer.
#include "kernels/pool/neon.h"

#include <arm_neon.h>

namespace lowbit::kernels::pool {
namespace {

struct Signed {
  using Code = int8_t;
  static int16x8_t Widen(const Code* from) { return vmovl_s8(vld1_s8(from)); }
  static void Store(Code* to, int16x8_t codes) { vst1_s8(to, vmovn_s16(codes)); }
};
struct Unsigned {
  using Code = uint8_t;
  static int16x8_t Widen(const Code* from) { return vreinterpretq_s16_u16(vmovl_u8(vld1_u8(from))); }
  static void Store(Code* to, int16x8_t codes) { vst1_u8(to, vmovn_u16(vreinterpretq_u16_s16(codes))); }
};

// Calls eight(first) for blocks of eight channels, the last of which may overlap its neighbour, or one(c).
template <typename Eight, typename One>
inline void EachChannel(int channels, const Eight& eight, const One& one) {
  int c = 0;
  for (; c + 8 <= channels; c += 8) eight(c);
  if (c == channels) return;
  if (channels >= 8) return eight(channels - 8);
  for (; c < channels; ++c) one(c);
}

template <typename Code, typename Visit>
inline void EachTap(const Window& window, int c, const Visit& visit) {
  for (int y = 0; y < window.rows; ++y) {
    const Code* tap = static_cast<const Code*>(window.first) + y * window.row_stride + c;
    for (int x = 0; x < window.cols; ++x, tap += window.channels) visit(tap);
  }
}

inline int16x8_t Clamp(int16x8_t codes, const Limits& limits) {
  return vminq_s16(vmaxq_s16(codes, vdupq_n_s16(static_cast<int16_t>(limits.low))),
                   vdupq_n_s16(static_cast<int16_t>(limits.high)));
}
inline int Clamp(int code, const Limits& limits) {
  return code < limits.low ? limits.low : code > limits.high ? limits.high : code;
}

struct Mean {
  int32_t count;
  int16x4_t operator()(int32x4_t sum) const {
    const int32x4_t half = vdupq_n_s32(count / 2);
    const int32x4_t near =
        vbslq_s32(vcgtq_s32(sum, vdupq_n_s32(0)), vaddq_s32(sum, half), vsubq_s32(sum, half));
    const float64x2_t by = vdupq_n_f64(count);
    const float64x2_t low = vdivq_f64(vcvtq_f64_s64(vmovl_s32(vget_low_s32(near))), by);
    const float64x2_t high = vdivq_f64(vcvtq_f64_s64(vmovl_high_s32(near)), by);
    return vmovn_s32(vcombine_s32(vmovn_s64(vcvtq_s64_f64(low)), vmovn_s64(vcvtq_s64_f64(high))));
  }
  int operator()(int32_t sum) const {
    return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
  }
};

template <typename Type>
void Average(const Window& window, const Limits& limits, void* out) {
  using Code = typename Type::Code;
  Code* to = static_cast<Code*>(out);
  const Mean mean{window.rows * window.cols};
  EachChannel(
      window.channels,
      [&](int c) {
        int32x4_t low = vdupq_n_s32(0), high = low;
        EachTap<Code>(window, c, [&](const Code* tap) {
          const int16x8_t x = Type::Widen(tap);
          low = vaddw_s16(low, vget_low_s16(x));
          high = vaddw_high_s16(high, x);
        });
        Type::Store(to + c, Clamp(vcombine_s16(mean(low), mean(high)), limits));
      },
      [&](int c) {
        int32_t sum = 0;
        EachTap<Code>(window, c, [&](const Code* tap) { sum += *tap; });
        to[c] = static_cast<Code>(Clamp(mean(sum), limits));
      });
}

template <typename Type>
void Max(const Window& window, const Limits& limits, void* out) {
  using Code = typename Type::Code;
  Code* to = static_cast<Code*>(out);
  EachChannel(
      window.channels,
      [&](int c) {
        int16x8_t best = vdupq_n_s16(static_cast<int16_t>(limits.low));
        EachTap<Code>(window, c, [&](const Code* tap) { best = vmaxq_s16(best, Type::Widen(tap)); });
        Type::Store(to + c, Clamp(best, limits));
      },
      [&](int c) {
        int best = limits.low;
        EachTap<Code>(window, c, [&](const Code* tap) { best = *tap > best ? *tap : best; });
        to[c] = static_cast<Code>(Clamp(best, limits));
      });
}

constexpr Row kList[] = {
    {"pool.average.s8.neon", cpu::kNeon, Kind::kAverageS8, Average<Signed>},
    {"pool.average.u8.neon", cpu::kNeon, Kind::kAverageU8, Average<Unsigned>},
    {"pool.max.s8.neon", cpu::kNeon, Kind::kMaxS8, Max<Signed>},
    {"pool.max.u8.neon", cpu::kNeon, Kind::kMaxU8, Max<Unsigned>},
};

}  // namespace

const Rows kNeon{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::pool
