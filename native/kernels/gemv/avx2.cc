// Rows times weights for AVX2: 64 channels a panel, four depths at once.
//
// Method: |a| as u8 and w * sign(a) as s8 feed vpmaddubsw; vpmaddwd widens to s32.
// Exact:  w is in [-127, 127] (Row::least_weight: others take kernels/gemm), so that its sign can change and a pair
//         sums to at most 2 * 128 * 127 = 32512: the saturating add never saturates. The int32 sums wrap, as the
//         reference's do.
// Reads:  lhs inside [0, depth), a multiple of 4; panels are zero-padded by pack.cc.
#include "kernels/gemv/avx2.h"

#include "kernels/gemv/avx2_panel.h"

namespace lowbit::kernels::gemv {

namespace {

struct Sum {
  static constexpr int kAtOnce = 1;
  struct Ready {
    __m256i code, magnitude;
  };
  explicit Sum(uint8_t code_flip)
      : flip(_mm256_set1_epi8(static_cast<char>(code_flip))), one(_mm256_set1_epi16(1)) {}
  Ready Of(__m256i lhs) const {
    const __m256i code = _mm256_xor_si256(lhs, flip);
    return {code, _mm256_abs_epi8(code)};
  }
  void Add(__m256i& into, const Ready& lhs, __m256i weights) const {
    const __m256i pairs = _mm256_maddubs_epi16(lhs.magnitude, _mm256_sign_epi8(weights, lhs.code));
    into = _mm256_add_epi32(into, _mm256_madd_epi16(pairs, one));
  }
  __m256i flip, one;
};

constexpr Row kList[] = {{"gemv.s8s8.1x64c4.avx2.sign", cpu::kAvx2, 8 * kMostWide, 8, 0, -127, Run<Sum>}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemv
