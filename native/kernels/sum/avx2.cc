// Sums of bytes along an axis for AVX2.
//
// Method: 16 columns at once; bytes widen to s16 and sum there for 128 rows (128 * 255 < 2^15), then to s32.
//         One column is summed along its length by vpsadbw (s8 as u8 = code + 128, corrected at the end).
// Sums wrap modulo 2^32, as additions in any order do.
#include "kernels/sum/avx2.h"

#include <immintrin.h>

namespace lowbit::kernels::sum {
namespace {

template <bool kSigned>
inline int32_t Value(uint8_t x) {
  return kSigned ? static_cast<int8_t>(x) : static_cast<int>(x);
}

template <bool kSigned>
uint32_t Line(const uint8_t* in, size_t count) {
  const __m256i flip = _mm256_set1_epi8(kSigned ? -128 : 0);
  __m256i total = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m256i x = _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i)), flip);
    total = _mm256_add_epi64(total, _mm256_sad_epu8(x, _mm256_setzero_si256()));
  }
  uint64_t lanes[4];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), total);
  uint32_t sum = static_cast<uint32_t>(lanes[0] + lanes[1] + lanes[2] + lanes[3]);
  if (kSigned) sum -= static_cast<uint32_t>(i) * 128u;
  for (; i < count; ++i) sum += static_cast<uint32_t>(Value<kSigned>(in[i]));
  return sum;
}

template <bool kSigned>
void Sum(const void* in, size_t rows, size_t cols, int32_t* sums) {
  const uint8_t* first = static_cast<const uint8_t*>(in);
  if (cols == 1) {
    sums[0] = static_cast<int32_t>(Line<kSigned>(first, rows));
    return;
  }
  size_t c = 0;
  for (; c + 16 <= cols; c += 16) {
    __m256i low32 = _mm256_setzero_si256(), high32 = low32;
    const uint8_t* row = first + c;
    for (size_t r = 0; r < rows;) {
      __m256i sum16 = _mm256_setzero_si256();
      const size_t end = rows - r > 128 ? r + 128 : rows;
      for (; r < end; ++r, row += cols) {
        const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row));
        sum16 = _mm256_add_epi16(sum16, kSigned ? _mm256_cvtepi8_epi16(x) : _mm256_cvtepu8_epi16(x));
      }
      low32 = _mm256_add_epi32(low32, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(sum16)));
      high32 = _mm256_add_epi32(high32, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(sum16, 1)));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + c), low32);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + c + 8), high32);
  }
  for (; c < cols; ++c) {
    uint32_t sum = 0;
    for (size_t r = 0; r < rows; ++r) sum += static_cast<uint32_t>(Value<kSigned>(first[r * cols + c]));
    sums[c] = static_cast<int32_t>(sum);
  }
}

constexpr Row kList[] = {
    {"sum.s8.avx2", cpu::kAvx2, Kind::kS8, Sum<true>},
    {"sum.u8.avx2", cpu::kAvx2, Kind::kU8, Sum<false>},
};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::sum
