// 16x8 GEMM tiles for AVX2: pairs of products by vpmaddwd.
#include "kernels/gemm_s16/avx2.h"

#include "kernels/gemm_s16/avx2_tile.h"

namespace lowbit::kernels::gemm_s16 {

namespace {

struct MaddAdd {
  static __m256i Add(__m256i sum, __m256i a, __m256i w) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, w));
  }
};

constexpr Row kList[] = {{"gemm.s16s8.6x16c2.avx2", cpu::kAvx2, kMr, kNr, kKr, S16S8_6x16c2<MaddAdd>}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_s16
