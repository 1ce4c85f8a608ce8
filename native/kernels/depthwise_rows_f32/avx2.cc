// Float32 depthwise convolution with 3x3 and 5x5 filters for AVX2 and FMA: eight channels a pass along a row.
//
// Reads: rows inside [0, in_w x channels), weights and bias inside [0, channels).
#include "kernels/depthwise_rows_f32/avx2.h"

#include <immintrin.h>

#include "kernels/depthwise_rows_f32/walk.h"

namespace lowbit::kernels::depthwise_rows_f32 {

namespace {

struct Whole {
  using Type = __m256;
  static constexpr size_t kLanes = 8;
  static Type Load(const float* from) { return _mm256_loadu_ps(from); }
  static void Store(float* to, Type values) { _mm256_storeu_ps(to, values); }
  static Type Broadcast(float value) { return _mm256_set1_ps(value); }
  static Type Add(Type a, Type b) { return _mm256_add_ps(a, b); }
  static Type MultiplyAdd(Type a, Type b, Type c) { return _mm256_fmadd_ps(a, b, c); }
  static Type Clamp(Type x, Type low, Type high) {  // a NaN is the second operand's
    return _mm256_min_ps(high, _mm256_max_ps(low, x));
  }
};

struct Part : Whole {
  explicit Part(size_t some)
      : mask(_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(some)),
                                _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))) {}
  Type Load(const float* from) const { return _mm256_maskload_ps(from, mask); }
  void Store(float* to, Type values) const { _mm256_maskstore_ps(to, mask, values); }
  __m256i mask;
};

constexpr Row kList[] = {
    {"depthwise_rows.f32.3x3s1.avx2", cpu::kAvx2, 3, 1, Run<Whole, Part, 3, 1>},
    {"depthwise_rows.f32.3x3s2.avx2", cpu::kAvx2, 3, 2, Run<Whole, Part, 3, 2>},
    {"depthwise_rows.f32.5x5s1.avx2", cpu::kAvx2, 5, 1, Run<Whole, Part, 5, 1>},
    {"depthwise_rows.f32.5x5s2.avx2", cpu::kAvx2, 5, 2, Run<Whole, Part, 5, 2>},
};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise_rows_f32
