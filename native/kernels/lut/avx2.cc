// Byte maps for AVX2.
//
// Method: the table is 16 lines of 16 bytes. vpshufb looks the low nibble up in every line; then a tree of
//         blends picks the line by the high nibble, one bit a level (vpblendvb reads a byte's top bit, so the
//         index is shifted left once a level; 16-bit shifts suffice, since only top bits are read).
// Reads:  whole blocks of 32 bytes only; the rest goes byte by byte.
#include "kernels/lut/avx2.h"

#include <immintrin.h>

namespace lowbit::kernels::lut {
namespace {

void U8(const uint8_t* table, const uint8_t* in, uint8_t* out, size_t count) {
  size_t i = 0;
  if (count >= 32) {
    __m256i line[16];
    for (int k = 0; k < 16; ++k) {
      line[k] =
          _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * k)));
    }
    const __m256i low_nibble = _mm256_set1_epi8(15);
    for (; i + 32 <= count; i += 32) {
      const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i));
      const __m256i index = _mm256_and_si256(x, low_nibble);
      const __m256i bit6 = _mm256_add_epi8(x, x), bit5 = _mm256_slli_epi16(x, 2),
                    bit4 = _mm256_slli_epi16(x, 3);
      __m256i half[2];
      for (int h = 0; h < 2; ++h) {
        const __m256i* l = line + 8 * h;
        const __m256i a =
            _mm256_blendv_epi8(_mm256_shuffle_epi8(l[0], index), _mm256_shuffle_epi8(l[1], index), bit4);
        const __m256i b =
            _mm256_blendv_epi8(_mm256_shuffle_epi8(l[2], index), _mm256_shuffle_epi8(l[3], index), bit4);
        const __m256i c =
            _mm256_blendv_epi8(_mm256_shuffle_epi8(l[4], index), _mm256_shuffle_epi8(l[5], index), bit4);
        const __m256i d =
            _mm256_blendv_epi8(_mm256_shuffle_epi8(l[6], index), _mm256_shuffle_epi8(l[7], index), bit4);
        half[h] = _mm256_blendv_epi8(_mm256_blendv_epi8(a, b, bit5), _mm256_blendv_epi8(c, d, bit5), bit6);
      }
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_blendv_epi8(half[0], half[1], x));
    }
  }
  for (; i < count; ++i) out[i] = table[in[i]];
}

constexpr Row kList[] = {{"lut.u8.avx2", cpu::kAvx2, U8}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::lut
