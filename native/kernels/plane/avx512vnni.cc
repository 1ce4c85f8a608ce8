// Planes for AVX-512, 64 bytes at once; method and bounds as in avx2.cc.
#include "kernels/plane/avx512vnni.h"

#include <immintrin.h>

namespace lowbit::kernels::plane {
namespace {

inline __m512i Pair(int16_t a, int16_t b) {
  return _mm512_set1_epi32(
      static_cast<int32_t>(static_cast<uint16_t>(a) | static_cast<uint32_t>(static_cast<uint16_t>(b)) << 16));
}

struct Constants {
  __m512i high_part, low_part, rest, whole, low, high, flip, order;
  __m128i shift;
  explicit Constants(const Plane& p)
      : high_part(Pair(p.a_high, p.b_high)),
        low_part(Pair(p.a_low, p.b_low)),
        rest(_mm512_set1_epi32(p.rest)),
        whole(_mm512_set1_epi16(static_cast<int16_t>(p.whole))),
        low(_mm512_set1_epi8(static_cast<char>(p.low))),
        high(_mm512_set1_epi8(static_cast<char>(p.high))),
        flip(_mm512_set1_epi8(static_cast<char>(p.flip))),
        order(_mm512_setr_epi32(0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15)),
        shift(_mm_cvtsi32_si128(p.shift)) {}

  // Sixteen codes without `whole`, from sixteen pairs of bytes.
  __m512i Codes(__m256i pairs) const {
    const __m512i wide = _mm512_cvtepi8_epi16(pairs);
    const __m512i fine = _mm512_srai_epi32(_mm512_add_epi32(_mm512_madd_epi16(wide, low_part), rest), 15);
    return _mm512_sra_epi32(_mm512_add_epi32(_mm512_madd_epi16(wide, high_part), fine), shift);
  }
  __m512i Block(__m512i a, __m512i b) const {
    a = _mm512_xor_si512(a, flip);
    b = _mm512_xor_si512(b, flip);
    const __m512i first = _mm512_unpacklo_epi8(a, b), second = _mm512_unpackhi_epi8(a, b);
    const __m512i words0 =
        _mm512_packs_epi32(Codes(_mm512_castsi512_si256(first)), Codes(_mm512_castsi512_si256(second)));
    const __m512i words1 = _mm512_packs_epi32(Codes(_mm512_extracti64x4_epi64(first, 1)),
                                              Codes(_mm512_extracti64x4_epi64(second, 1)));
    const __m512i bytes =
        _mm512_packs_epi16(_mm512_adds_epi16(words0, whole), _mm512_adds_epi16(words1, whole));
    const __m512i sorted = _mm512_permutexvar_epi32(order, bytes);
    return _mm512_xor_si512(_mm512_min_epi8(_mm512_max_epi8(sorted, low), high), flip);
  }
};

void Run(const Plane& p, const uint8_t* a, const uint8_t* b, uint8_t* out, size_t count) {
  const Constants constants(p);
  size_t i = 0;
  for (; i + 64 <= count; i += 64)
    _mm512_storeu_si512(out + i, constants.Block(_mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i)));
  if (i == count) return;
  const __mmask64 rest = (uint64_t{1} << (count - i)) - 1;
  _mm512_mask_storeu_epi8(
      out + i, rest,
      constants.Block(_mm512_maskz_loadu_epi8(rest, a + i), _mm512_maskz_loadu_epi8(rest, b + i)));
}

constexpr Row kList[] = {{"plane.b8.avx512vnni", cpu::kAvx512Vnni, Run}};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::plane
