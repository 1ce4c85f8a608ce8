// Byte maps for AVX-512, without its byte permutations.
//
// Method: the table is 128 words of two neighbouring entries, in four vectors. vpermi2w looks a word up in two
//         of them by 6 bits, so the even bytes of a block need two look-ups and a blend by the top bit; the
//         lowest bit says which half of the word is meant. The odd bytes likewise.
// Reads:  whole blocks of 64 bytes; the rest by masks.
#include "kernels/lut/avx512vnni.h"

#include <immintrin.h>

namespace lowbit::kernels::lut {
namespace {

struct Table {
  __m512i words[4];
  explicit Table(const uint8_t* table) {
    for (int i = 0; i < 4; ++i) words[i] = _mm512_loadu_si512(table + 64 * i);
  }
  // Words that hold the entries of byte kShift / 8 of each word of x.
  template <int kShift>
  __m512i Pairs(__m512i x) const {
    const __m512i index = _mm512_srli_epi16(x, kShift + 1);
    const __mmask32 upper =
        _mm512_test_epi16_mask(x, _mm512_set1_epi16(static_cast<int16_t>(0x80 << kShift)));
    return _mm512_mask_blend_epi16(upper, _mm512_permutex2var_epi16(words[0], index, words[1]),
                                   _mm512_permutex2var_epi16(words[2], index, words[3]));
  }
  __m512i operator()(__m512i x) const {
    const __mmask32 low_is_odd = _mm512_test_epi16_mask(x, _mm512_set1_epi16(1));
    const __mmask32 high_is_even = _mm512_testn_epi16_mask(x, _mm512_set1_epi16(0x100));
    __m512i low = Pairs<0>(x), high = Pairs<8>(x);
    low = _mm512_mask_srli_epi16(low, low_is_odd, low, 8);
    high = _mm512_mask_slli_epi16(high, high_is_even, high, 8);
    return _mm512_mask_blend_epi8(0xAAAAAAAAAAAAAAAA, low, high);
  }
};

void U8(const uint8_t* table, const uint8_t* in, uint8_t* out, size_t count) {
  const Table map(table);
  size_t i = 0;
  for (; i + 64 <= count; i += 64) _mm512_storeu_si512(out + i, map(_mm512_loadu_si512(in + i)));
  if (i == count) return;
  const __mmask64 rest = (uint64_t{1} << (count - i)) - 1;
  _mm512_mask_storeu_epi8(out + i, rest, map(_mm512_maskz_loadu_epi8(rest, in + i)));
}

constexpr Row kList[] = {{"lut.u8.avx512vnni", cpu::kAvx512Vnni, U8}};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::lut
