// Planes for AVX-512 VNNI, 64 bytes at once. Bytes are taken as codes + 128, for which the constant is made anew: they are
// widened by zeroes from beside them, and lie in order when they are packed again.
//
// Bounds: slopes below 32 times 255 and |whole| below 2^14 stay within int16; 2 * 255 * 2^15 + 2^30 within int32.
#include "kernels/plane/avx512vnni.h"

#include <immintrin.h>

namespace lowbit::kernels::plane {
namespace {

inline __m512i Pair(int16_t a, int16_t b) {
  return _mm512_set1_epi32(
      static_cast<int32_t>(static_cast<uint16_t>(a) | static_cast<uint32_t>(static_cast<uint16_t>(b)) << 16));
}

struct Constants {
  __m512i high_part, low_part, rest, whole, low, high, flip, flip_in;
  __m128i shift;
  explicit Constants(const Plane& p)
      : high_part(Pair(p.a_high, p.b_high)),
        low_part(Pair(p.a_low, p.b_low)),
        low(_mm512_set1_epi8(static_cast<char>(p.low))),
        high(_mm512_set1_epi8(static_cast<char>(p.high))),
        flip(_mm512_set1_epi8(static_cast<char>(p.flip))),
        flip_in(_mm512_set1_epi8(static_cast<char>(p.flip ^ 0x80))),
        shift(_mm_cvtsi32_si128(p.shift)) {
    const int64_t slopes = (int64_t{p.a_high} + p.b_high) * (1 << 15) + p.a_low + p.b_low;
    const int64_t one = int64_t{1} << (15 + p.shift), constant = p.whole * one + p.rest - 128 * slopes;
    rest = _mm512_set1_epi32(static_cast<int32_t>(constant & (one - 1)));
    whole = _mm512_set1_epi16(static_cast<int16_t>(constant >> (15 + p.shift)));
  }

  // Sixteen codes without `whole`, from sixteen pairs.
  __m512i Codes(__m512i pairs) const {
    const __m512i fine = _mm512_srai_epi32(_mm512_dpwssd_epi32(rest, pairs, low_part), 15);
    return _mm512_sra_epi32(_mm512_dpwssd_epi32(fine, pairs, high_part), shift);
  }
  __m512i Words(__m512i pairs) const {
    const __m512i zero = _mm512_setzero_si512();
    return _mm512_adds_epi16(_mm512_packs_epi32(Codes(_mm512_unpacklo_epi8(pairs, zero)),
                                                Codes(_mm512_unpackhi_epi8(pairs, zero))),
                             whole);
  }
  __m512i Block(__m512i a, __m512i b) const {
    a = _mm512_xor_si512(a, flip_in);
    b = _mm512_xor_si512(b, flip_in);
    const __m512i bytes =
        _mm512_packs_epi16(Words(_mm512_unpacklo_epi8(a, b)), Words(_mm512_unpackhi_epi8(a, b)));
    return _mm512_xor_si512(_mm512_min_epi8(_mm512_max_epi8(bytes, low), high), flip);
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
