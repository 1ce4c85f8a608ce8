// Rows times weights for AVX-VNNI, 256 bits: 64 channels a panel, four depths an instruction (vpdpbusd).
//
// Exact: vpdpbusd adds four products of an unsigned and a signed byte to an int32 without saturating on the
//        way; the int32 sums wrap, as the reference's do.
// Reads: lhs inside [0, depth), a multiple of 4; panels are zero-padded by pack.cc.
#include "kernels/gemv/avxvnni.h"

#include "kernels/gemv/avx2_panel.h"

namespace lowbit::kernels::gemv {

namespace {

struct Sum {
  static constexpr int kAtOnce = 8;
  explicit Sum(uint8_t code_flip) : flip(_mm256_set1_epi8(static_cast<char>(code_flip))) {}
  __m256i Of(__m256i lhs) const { return _mm256_xor_si256(lhs, flip); }
  static void Add(__m256i& into, __m256i lhs, __m256i weights) {
    into = _mm256_dpbusd_avx_epi32(into, lhs, weights);
  }
  __m256i flip;
};

constexpr Row kList[] = {{"gemv.u8s8.1x64c4.avxvnni", cpu::kAvxVnni, 8 * kMostWide, 8, 128, -128, Run<Sum>}};

}  // namespace

const Rows kAvxVnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemv
