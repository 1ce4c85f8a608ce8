// Winograd convolutions for AVX-VNNI, 256 bits: 6 tiles x 16 outputs, pairs of int16 products by vpdpwssd.
#include "kernels/winograd/avxvnni.h"

#include "kernels/winograd/avx2_tile.h"

namespace lowbit::kernels::winograd {

namespace {

struct Mac {
  static __m256i Add(__m256i sum, __m256i a, __m256i b) { return _mm256_dpwssd_avx_epi32(sum, a, b); }
};

constexpr Row kList[] = {
    {"winograd.s8s8.f4.6x16c2.avxvnni", cpu::kAvxVnni, 4, kMr, kNr, kLanes, TransformStrip,
     MultiplyPlanes<Mac>, FinishStrip},
    {"winograd.s8s8.f2.6x16c2.avxvnni", cpu::kAvxVnni, 2, kMr, kNr, kLanes, TransformStrip,
     MultiplyPlanes<Mac>, FinishStrip},
};

}  // namespace

const Rows kAvxVnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::winograd
