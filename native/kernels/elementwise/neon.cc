// Quantised ADD, SUB and MUL for NEON, eight elements at once, by the literal sequence of scalar.cc: sqrdmulh is the
// reference's high multiply, srshl its rounding shift once negative numbers have lost 1 (requantize/neon.h).
// The rest of a row goes through a buffer of eight elements, so that nothing is read or written outside.
#include "kernels/elementwise/neon.h"

#include <arm_neon.h>
#include <string.h>

namespace lowbit::kernels::elementwise {
namespace {

constexpr size_t kAtOnce = 8;

struct Scale {
  int32x4_t multiplier, left, right;
  explicit Scale(const Factor& f)
      : multiplier(vdupq_n_s32(f.multiplier)),
        left(vdupq_n_s32(f.shift > 0 ? f.shift : 0)),
        right(vdupq_n_s32(f.shift > 0 ? 0 : f.shift)) {}
  int32x4_t operator()(int32x4_t x) const {
    const int32x4_t r = vqrdmulhq_s32(vshlq_s32(x, left), multiplier);
    return vrshlq_s32(vqaddq_s32(r, vshrq_n_s32(vandq_s32(r, right), 31)), right);
  }
};

struct Eight {
  int32x4_t low, high;
};
inline Eight Widen(int16x8_t x) { return {vmovl_s16(vget_low_s16(x)), vmovl_high_s16(x)}; }
inline Eight Load(const int8_t* from) { return Widen(vmovl_s8(vld1_s8(from))); }
inline Eight Load(const uint8_t* from) { return Widen(vreinterpretq_s16_u16(vmovl_u8(vld1_u8(from)))); }
inline Eight Load(const int16_t* from) { return Widen(vld1q_s16(from)); }
// Codes lie in the type's range.
inline int16x8_t Narrow(const Eight& x) { return vmovn_high_s32(vmovn_s32(x.low), x.high); }
inline void Store(int8_t* to, const Eight& x) { vst1_s8(to, vmovn_s16(Narrow(x))); }
inline void Store(uint8_t* to, const Eight& x) { vst1_u8(to, vmovn_u16(vreinterpretq_u16_s16(Narrow(x)))); }
inline void Store(int16_t* to, const Eight& x) { vst1q_s16(to, Narrow(x)); }

// From sums or products to codes.
struct Result {
  Scale scale;
  int32x4_t zero_point, low, high;
  explicit Result(const Params& p)
      : scale(p.output),
        zero_point(vdupq_n_s32(p.zero_point)),
        low(vdupq_n_s32(p.low)),
        high(vdupq_n_s32(p.high)) {}
  int32x4_t operator()(int32x4_t x) const {
    return vminq_s32(vmaxq_s32(vaddq_s32(scale(x), zero_point), low), high);
  }
};

// Calls block(a, b, out) for eight elements at a time; an operand of step 0 is spread once, the rest is padded.
template <typename T, typename Block>
inline void Blocks(const void* a, int a_step, const void* b, int b_step, void* out, size_t count,
                   const Block& block) {
  const T* pa = static_cast<const T*>(a);
  const T* pb = static_cast<const T*>(b);
  T* to = static_cast<T*>(out);
  T spread_a[kAtOnce], spread_b[kAtOnce], rest[kAtOnce];
  const auto spread = [](const T* from, T* all) {
    for (size_t k = 0; k < kAtOnce; ++k) all[k] = *from;
    return all;
  };
  if (!a_step) pa = spread(pa, spread_a);
  if (!b_step) pb = spread(pb, spread_b);
  size_t i = 0;
  const size_t step_a = a_step ? 1 : 0, step_b = b_step ? 1 : 0;
  for (; i + kAtOnce <= count; i += kAtOnce) block(pa + i * step_a, pb + i * step_b, to + i);
  if (const size_t left = count - i) {
    const auto pad = [&](const T* from, T* all) {
      memset(all, 0, kAtOnce * sizeof(T));
      return static_cast<const T*>(memcpy(all, from, left * sizeof(T)));
    };
    if (a_step) pa = pad(pa + i, spread_a);
    if (b_step) pb = pad(pb + i, spread_b);
    block(pa, pb, rest);
    memcpy(to + i, rest, left * sizeof(T));
  }
}

template <typename T>
void Add(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out, size_t count) {
  const int32x4_t a_zero = vdupq_n_s32(p.a_zero), b_zero = vdupq_n_s32(p.b_zero);
  const int32x4_t left = vdupq_n_s32(p.left_shift);
  const Scale first(p.a), second(p.b);
  const Result result(p);
  const bool subtracts = p.b_sign < 0;
  const auto code = [&](int32x4_t x, int32x4_t y) {
    const int32x4_t u = first(vshlq_s32(vsubq_s32(x, a_zero), left));
    const int32x4_t v = second(vshlq_s32(vsubq_s32(y, b_zero), left));
    return result(subtracts ? vsubq_s32(u, v) : vaddq_s32(u, v));
  };
  Blocks<T>(a, a_step, b, b_step, out, count, [&](const T* from_a, const T* from_b, T* to) {
    const Eight x = Load(from_a), y = Load(from_b);
    Store(to, {code(x.low, y.low), code(x.high, y.high)});
  });
}

template <typename T>
void Mul(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out, size_t count) {
  const int32x4_t a_zero = vdupq_n_s32(p.a_zero), b_zero = vdupq_n_s32(p.b_zero);
  const Result result(p);
  const auto code = [&](int32x4_t x, int32x4_t y) {
    return result(vmulq_s32(vsubq_s32(x, a_zero), vsubq_s32(y, b_zero)));
  };
  Blocks<T>(a, a_step, b, b_step, out, count, [&](const T* from_a, const T* from_b, T* to) {
    const Eight x = Load(from_a), y = Load(from_b);
    Store(to, {code(x.low, y.low), code(x.high, y.high)});
  });
}

constexpr Row kList[] = {
    {"add.s8.neon", cpu::kNeon, Kind::kAddS8, true, Add<int8_t>},
    {"add.u8.neon", cpu::kNeon, Kind::kAddU8, true, Add<uint8_t>},
    {"add.s16.neon", cpu::kNeon, Kind::kAddS16, true, Add<int16_t>},
    {"mul.s8.neon", cpu::kNeon, Kind::kMulS8, true, Mul<int8_t>},
    {"mul.u8.neon", cpu::kNeon, Kind::kMulU8, true, Mul<uint8_t>},
    {"mul.s16.neon", cpu::kNeon, Kind::kMulS16, true, Mul<int16_t>},
};

}  // namespace

const Rows kNeon{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::elementwise
