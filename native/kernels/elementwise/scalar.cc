// Quantised ADD, SUB and MUL, one element at a time.
//
// Source: TFLite kernels/internal/reference/add.h (AddElementwise), sub.h, integer_ops/mul.h.
#include "kernels/elementwise/scalar.h"

#include "kernels/requantize/signed_shift.h"

namespace lowbit::kernels::elementwise {
namespace {

using requantize::Clamp;
using requantize::MultiplyByQuantizedMultiplier;
using requantize::WrappingAdd;

inline int32_t Scale(int32_t x, const Factor& factor) {
  return MultiplyByQuantizedMultiplier(x, factor.multiplier, factor.shift);
}

template <typename T>
void Add(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out, size_t count) {
  const T* first = static_cast<const T*>(a);
  const T* second = static_cast<const T*>(b);
  for (size_t i = 0; i < count; ++i) {
    const int32_t x = Scale((first[i * a_step] - p.a_zero) * (1 << p.left_shift), p.a);
    const int32_t y = Scale((second[i * b_step] - p.b_zero) * (1 << p.left_shift), p.b);
    const int32_t sum = WrappingAdd(x, p.b_sign < 0 ? -y : y);
    static_cast<T*>(out)[i] =
        static_cast<T>(Clamp(WrappingAdd(Scale(sum, p.output), p.zero_point), p.low, p.high));
  }
}

template <typename T>
void Mul(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out, size_t count) {
  const T* first = static_cast<const T*>(a);
  const T* second = static_cast<const T*>(b);
  for (size_t i = 0; i < count; ++i) {
    const int32_t product = (first[i * a_step] - p.a_zero) * (second[i * b_step] - p.b_zero);
    static_cast<T*>(out)[i] =
        static_cast<T>(Clamp(WrappingAdd(Scale(product, p.output), p.zero_point), p.low, p.high));
  }
}

// Bound: factors are at most 1/2 where files are sound, then |x - y| <= 255 * 2^7 and the square fits; else
// it wraps.
void SquaredDifference(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out,
                       size_t count) {
  const int8_t* first = static_cast<const int8_t*>(a);
  const int8_t* second = static_cast<const int8_t*>(b);
  for (size_t i = 0; i < count; ++i) {
    const int32_t x = Scale((first[i * a_step] - p.a_zero) * (1 << p.left_shift), p.a);
    const int32_t y = Scale((second[i * b_step] - p.b_zero) * (1 << p.left_shift), p.b);
    const uint32_t difference = static_cast<uint32_t>(x) - static_cast<uint32_t>(y);
    const int32_t scaled = Scale(static_cast<int32_t>(difference * difference), p.output);
    static_cast<int8_t*>(out)[i] =
        static_cast<int8_t>(Clamp(WrappingAdd(scaled, p.zero_point), p.low, p.high));
  }
}

constexpr Row kList[] = {
    {"add.s8.scalar", cpu::kScalar, Kind::kAddS8, true, Add<int8_t>},
    {"add.u8.scalar", cpu::kScalar, Kind::kAddU8, true, Add<uint8_t>},
    {"add.s16.scalar", cpu::kScalar, Kind::kAddS16, true, Add<int16_t>},
    {"mul.s8.scalar", cpu::kScalar, Kind::kMulS8, true, Mul<int8_t>},
    {"mul.u8.scalar", cpu::kScalar, Kind::kMulU8, true, Mul<uint8_t>},
    {"mul.s16.scalar", cpu::kScalar, Kind::kMulS16, true, Mul<int16_t>},
    {"squared_difference.s8.scalar", cpu::kScalar, Kind::kSquaredDifferenceS8, true, SquaredDifference},
};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::elementwise
