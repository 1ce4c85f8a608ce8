// Planes for AVX2, 32 bytes at once: pairs (a, b) of int16, multiplied and added by vpmaddwd.
// Exact: |a * a_low + b * b_low| <= 2^23 and rest < 2^30; the high parts give at most 2^23. Saturation to int16
//        and int8 keeps codes beyond [low, high] beyond it.
#include "kernels/plane/avx2.h"

#include <immintrin.h>
#include <string.h>

namespace lowbit::kernels::plane {
namespace {

inline __m256i Pair(int16_t a, int16_t b) {
  return _mm256_set1_epi32(
      static_cast<int32_t>(static_cast<uint16_t>(a) | static_cast<uint32_t>(static_cast<uint16_t>(b)) << 16));
}

struct Constants {
  __m256i high_part, low_part, rest, whole, low, high, flip;
  __m128i shift;
  explicit Constants(const Plane& p)
      : high_part(Pair(p.a_high, p.b_high)),
        low_part(Pair(p.a_low, p.b_low)),
        rest(_mm256_set1_epi32(p.rest)),
        whole(_mm256_set1_epi16(static_cast<int16_t>(p.whole))),
        low(_mm256_set1_epi8(static_cast<char>(p.low))),
        high(_mm256_set1_epi8(static_cast<char>(p.high))),
        flip(_mm256_set1_epi8(static_cast<char>(p.flip))),
        shift(_mm_cvtsi32_si128(p.shift)) {}

  // Eight codes without `whole`, from eight pairs of bytes.
  __m256i Codes(__m128i pairs) const {
    const __m256i wide = _mm256_cvtepi8_epi16(pairs);
    const __m256i fine = _mm256_srai_epi32(_mm256_add_epi32(_mm256_madd_epi16(wide, low_part), rest), 15);
    return _mm256_sra_epi32(_mm256_add_epi32(_mm256_madd_epi16(wide, high_part), fine), shift);
  }
  __m256i Block(__m256i a, __m256i b) const {
    a = _mm256_xor_si256(a, flip);
    b = _mm256_xor_si256(b, flip);
    // Elements 0-7 16-23 and 8-15 24-31, lane by lane; packing puts 0-3 8-11 4-7 12-15 into lanes again.
    const __m256i first = _mm256_unpacklo_epi8(a, b), second = _mm256_unpackhi_epi8(a, b);
    const __m256i words0 =
        _mm256_packs_epi32(Codes(_mm256_castsi256_si128(first)), Codes(_mm256_castsi256_si128(second)));
    const __m256i words1 = _mm256_packs_epi32(Codes(_mm256_extracti128_si256(first, 1)),
                                              Codes(_mm256_extracti128_si256(second, 1)));
    const __m256i bytes =
        _mm256_packs_epi16(_mm256_adds_epi16(words0, whole), _mm256_adds_epi16(words1, whole));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i sorted = _mm256_permutevar8x32_epi32(bytes, order);
    return _mm256_xor_si256(_mm256_min_epi8(_mm256_max_epi8(sorted, low), high), flip);
  }
};

void Run(const Plane& p, const uint8_t* a, const uint8_t* b, uint8_t* out, size_t count) {
  const Constants constants(p);
  const auto load = [](const uint8_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  };
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), constants.Block(load(a + i), load(b + i)));
  }
  if (i == count) return;
  uint8_t x[32] = {}, y[32] = {};
  memcpy(x, a + i, count - i);
  memcpy(y, b + i, count - i);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(x), constants.Block(load(x), load(y)));
  memcpy(out + i, x, count - i);
}

constexpr Row kList[] = {{"plane.b8.avx2", cpu::kAvx2, Run}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::plane
