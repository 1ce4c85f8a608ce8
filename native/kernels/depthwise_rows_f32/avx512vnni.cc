// Float32 depthwise convolution with 3x3 and 5x5 filters for AVX-512: sixteen channels a pass along a row.
//
// Reads: rows inside [0, in_w x channels), weights and bias inside [0, channels).
#include "kernels/depthwise_rows_f32/avx512vnni.h"

#include <immintrin.h>

#include "kernels/depthwise_rows_f32/walk.h"

namespace lowbit::kernels::depthwise_rows_f32 {

namespace {

struct Whole {
  using Type = __m512;
  static constexpr size_t kLanes = 16;
  static Type Load(const float* from) { return _mm512_loadu_ps(from); }
  static void Store(float* to, Type values) { _mm512_storeu_ps(to, values); }
  static Type Broadcast(float value) { return _mm512_set1_ps(value); }
  static Type Add(Type a, Type b) { return _mm512_add_ps(a, b); }
  static Type MultiplyAdd(Type a, Type b, Type c) { return _mm512_fmadd_ps(a, b, c); }
  static Type Clamp(Type x, Type low, Type high) {  // a NaN is the second operand's
    return _mm512_min_ps(high, _mm512_max_ps(low, x));
  }
};

struct Part : Whole {
  explicit Part(size_t some) : mask(static_cast<__mmask16>((1u << some) - 1)) {}
  Type Load(const float* from) const { return _mm512_maskz_loadu_ps(mask, from); }
  void Store(float* to, Type values) const { _mm512_mask_storeu_ps(to, mask, values); }
  __mmask16 mask;
};

constexpr Row kList[] = {
    {"depthwise_rows.f32.3x3s1.avx512vnni", cpu::kAvx512Vnni, 3, 1, Run<Whole, Part, 3, 1>},
    {"depthwise_rows.f32.3x3s2.avx512vnni", cpu::kAvx512Vnni, 3, 2, Run<Whole, Part, 3, 2>},
    {"depthwise_rows.f32.5x5s1.avx512vnni", cpu::kAvx512Vnni, 5, 1, Run<Whole, Part, 5, 1>},
    {"depthwise_rows.f32.5x5s2.avx512vnni", cpu::kAvx512Vnni, 5, 2, Run<Whole, Part, 5, 2>},
};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise_rows_f32
