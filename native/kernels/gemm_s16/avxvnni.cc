// 16x8 GEMM tiles for AVX-VNNI, 256 bits: pairs of products by vpdpwssd.
#include "kernels/gemm_s16/avxvnni.h"

#include "kernels/gemm_s16/avx2_tile.h"

namespace lowbit::kernels::gemm_s16 {

namespace {

struct DotAdd {
  static __m256i Add(__m256i sum, __m256i a, __m256i w) { return _mm256_dpwssd_avx_epi32(sum, a, w); }
};

constexpr Row kList[] = {{"gemm.s16s8.6x16c2.avxvnni", cpu::kAvxVnni, kMr, kNr, kKr, S16S8_6x16c2<DotAdd>}};

}  // namespace

const Rows kAvxVnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_s16
