// Real numbers to codes and back, one element at a time.
//
// Source: TFLite kernels/internal/reference/quantize.h and dequantize.h. The reference's conversion of
// quotients that no int32 holds is undefined; they clamp here.
#include "kernels/affine/scalar.h"

#include <math.h>

namespace lowbit::kernels::affine {
namespace {

template <typename T>
void Quantize(const Params& p, const void* in, void* out, size_t count) {
  const float* x = static_cast<const float*>(in);
  for (size_t i = 0; i < count; ++i) {
    float code = roundf(x[i] / p.scale);
    if (isnan(code)) code = 0;
    if (code < -70000.0f) code = -70000.0f;
    if (code > 70000.0f) code = 70000.0f;
    int32_t y = static_cast<int32_t>(code) + p.zero_point;
    if (y < p.low) y = p.low;
    if (y > p.high) y = p.high;
    static_cast<T*>(out)[i] = static_cast<T>(y);
  }
}

template <typename T>
void Dequantize(const Params& p, const void* in, void* out, size_t count) {
  const T* code = static_cast<const T*>(in);
  for (size_t i = 0; i < count; ++i) {
    static_cast<float*>(out)[i] = p.scale * static_cast<float>(code[i] - p.zero_point);
  }
}

constexpr Row kList[] = {
    {"quantize.f32s8.scalar", cpu::kScalar, Kind::kQuantizeS8, Quantize<int8_t>},
    {"quantize.f32u8.scalar", cpu::kScalar, Kind::kQuantizeU8, Quantize<uint8_t>},
    {"quantize.f32s16.scalar", cpu::kScalar, Kind::kQuantizeS16, Quantize<int16_t>},
    {"dequantize.s8f32.scalar", cpu::kScalar, Kind::kDequantizeS8, Dequantize<int8_t>},
    {"dequantize.u8f32.scalar", cpu::kScalar, Kind::kDequantizeU8, Dequantize<uint8_t>},
    {"dequantize.s16f32.scalar", cpu::kScalar, Kind::kDequantizeS16, Dequantize<int16_t>},
};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::affine
