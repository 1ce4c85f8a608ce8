// Winograd convolutions for AVX2: 6 tiles x 16 outputs, pairs of int16 products by vpmaddwd.
#include "kernels/winograd/avx2.h"

#include "kernels/winograd/avx2_tile.h"

namespace lowbit::kernels::winograd {

namespace {

struct Mac {
  static __m256i Add(__m256i sum, __m256i a, __m256i b) {
    const __m256i product = _mm256_madd_epi16(a, b);
#if defined(__GNUC__)
    __asm__("vpaddd %1, %0, %0" : "+x"(sum) : "x"(product));  // g++ adds elsewhere and copies the sum back
    return sum;
#else
    return _mm256_add_epi32(sum, product);
#endif
  }
};

constexpr Row kList[] = {
    {"winograd.s8s8.f4.6x16c2.avx2", cpu::kAvx2, 4, kMr, kNr, kLanes, TransformStrip, MultiplyPlanes<Mac>,
     FinishStrip},
    {"winograd.s8s8.f2.6x16c2.avx2", cpu::kAvx2, 2, kMr, kNr, kLanes, TransformStrip, MultiplyPlanes<Mac>,
     FinishStrip},
};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::winograd
