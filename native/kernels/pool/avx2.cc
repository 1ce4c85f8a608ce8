// Pooling for AVX2. Bytes: 32 channels (maximum) or 16 channels (average) at once; the loops of float32 are in vector.h.
//
// Average:  bytes widen to s16 and sum there for up to 128 taps (128 * 255 = 32640 < 32768), then to s32.
// Division: (|sum| + n/2) / n by a float division that is cut off. Exact: numerator and n are integers below
//           2^24 (n <= 65536 taps of at most 255, larger windows run elsewhere), so both are exact in float,
//           and a quotient that is not whole lies at least 1/n below the next integer, more than the
//           rounding error of the division.
// Tail:     the last block overlaps the one before it; fewer channels than a block go one by one.
#include "kernels/pool/avx2.h"

#include <immintrin.h>

#include "kernels/pool/vector.h"
#include "kernels/real/avx2.h"

namespace lowbit::kernels::pool {
namespace {

template <bool kSigned>
inline __m256i Widen(const uint8_t* p) {
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return kSigned ? _mm256_cvtepi8_epi16(x) : _mm256_cvtepu8_epi16(x);
}

// (|sum| + half) / count with the sign of sum, clamped.
inline __m256i Divide(__m256i sum, __m256i half, __m256 count, __m256i low, __m256i high) {
  const __m256i numerator = _mm256_add_epi32(_mm256_abs_epi32(sum), half);
  const __m256i quotient = _mm256_cvttps_epi32(_mm256_div_ps(_mm256_cvtepi32_ps(numerator), count));
  return _mm256_min_epi32(_mm256_max_epi32(_mm256_sign_epi32(quotient, sum), low), high);
}

template <bool kSigned>
inline void Average16(const Window& window, const Limits& limits, int c, uint8_t* out) {
  const uint8_t* first = static_cast<const uint8_t*>(window.first) + c;
  __m256i low32 = _mm256_setzero_si256(), high32 = low32, sum16 = low32;
  int pending = 0;
  for (int y = 0; y < window.rows; ++y) {
    const uint8_t* tap = first + y * window.row_stride;
    for (int x = 0; x < window.cols; ++x, tap += window.channels) {
      sum16 = _mm256_add_epi16(sum16, Widen<kSigned>(tap));
      if (++pending == 128) {
        low32 = _mm256_add_epi32(low32, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(sum16)));
        high32 = _mm256_add_epi32(high32, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(sum16, 1)));
        sum16 = _mm256_setzero_si256();
        pending = 0;
      }
    }
  }
  low32 = _mm256_add_epi32(low32, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(sum16)));
  high32 = _mm256_add_epi32(high32, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(sum16, 1)));

  const int taps = window.rows * window.cols;
  const __m256 count = _mm256_set1_ps(static_cast<float>(taps));
  const __m256i half = _mm256_set1_epi32(taps / 2);
  const __m256i low = _mm256_set1_epi32(limits.low), high = _mm256_set1_epi32(limits.high);
  const __m256i words = _mm256_permute4x64_epi64(
      _mm256_packs_epi32(Divide(low32, half, count, low, high), Divide(high32, half, count, low, high)),
      0xD8);
  const __m128i a = _mm256_castsi256_si128(words), b = _mm256_extracti128_si256(words, 1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + c),
                   kSigned ? _mm_packs_epi16(a, b) : _mm_packus_epi16(a, b));
}

template <bool kSigned>
inline int AverageOne(const Window& window, const Limits& limits, int c) {
  const uint8_t* first = static_cast<const uint8_t*>(window.first) + c;
  const int64_t count = int64_t{window.rows} * window.cols;
  int64_t sum = 0;
  for (int y = 0; y < window.rows; ++y) {
    const uint8_t* tap = first + y * window.row_stride;
    for (int x = 0; x < window.cols; ++x, tap += window.channels) {
      sum += kSigned ? static_cast<int8_t>(*tap) : static_cast<int>(*tap);
    }
  }
  const int64_t mean = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
  return static_cast<int>(mean < limits.low ? limits.low : mean > limits.high ? limits.high : mean);
}

template <bool kSigned>
void Average(const Window& window, const Limits& limits, void* out) {
  uint8_t* to = static_cast<uint8_t*>(out);
  const int channels = window.channels;
  if (channels >= 16 && int64_t{window.rows} * window.cols <= 65536) {
    int c = 0;
    for (; c + 16 <= channels; c += 16) Average16<kSigned>(window, limits, c, to);
    if (c < channels) Average16<kSigned>(window, limits, channels - 16, to);
    return;
  }
  for (int c = 0; c < channels; ++c) to[c] = static_cast<uint8_t>(AverageOne<kSigned>(window, limits, c));
}

template <bool kSigned>
inline __m256i Larger(__m256i a, __m256i b) {
  return kSigned ? _mm256_max_epi8(a, b) : _mm256_max_epu8(a, b);
}

template <bool kSigned>
inline void Max32(const Window& window, const Limits& limits, int c, uint8_t* out) {
  const uint8_t* first = static_cast<const uint8_t*>(window.first) + c;
  __m256i best = _mm256_set1_epi8(static_cast<char>(limits.low));
  for (int y = 0; y < window.rows; ++y) {
    const uint8_t* tap = first + y * window.row_stride;
    for (int x = 0; x < window.cols; ++x, tap += window.channels) {
      best = Larger<kSigned>(best, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(tap)));
    }
  }
  const __m256i high = _mm256_set1_epi8(static_cast<char>(limits.high));
  best = kSigned ? _mm256_min_epi8(best, high) : _mm256_min_epu8(best, high);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + c), best);
}

template <bool kSigned>
void Max(const Window& window, const Limits& limits, void* out) {
  uint8_t* to = static_cast<uint8_t*>(out);
  const int channels = window.channels;
  if (channels >= 32) {
    int c = 0;
    for (; c + 32 <= channels; c += 32) Max32<kSigned>(window, limits, c, to);
    if (c < channels) Max32<kSigned>(window, limits, channels - 32, to);
    return;
  }
  for (int c = 0; c < channels; ++c) {
    int best = limits.low;
    for (int y = 0; y < window.rows; ++y) {
      const uint8_t* tap = static_cast<const uint8_t*>(window.first) + c + y * window.row_stride;
      for (int x = 0; x < window.cols; ++x, tap += channels) {
        const int value = kSigned ? static_cast<int8_t>(*tap) : static_cast<int>(*tap);
        if (value > best) best = value;
      }
    }
    to[c] = static_cast<uint8_t>(best < limits.high ? best : limits.high);
  }
}

constexpr Row kList[] = {
    {"pool.average.s8.avx2", cpu::kAvx2, Kind::kAverageS8, Average<true>},
    {"pool.average.u8.avx2", cpu::kAvx2, Kind::kAverageU8, Average<false>},
    {"pool.max.s8.avx2", cpu::kAvx2, Kind::kMaxS8, Max<true>},
    {"pool.max.u8.avx2", cpu::kAvx2, Kind::kMaxU8, Max<false>},
    {"pool.average.f32.avx2", cpu::kAvx2, Kind::kAverageF32, PoolF32<real::Vector, AverageOf>},
    {"pool.max.f32.avx2", cpu::kAvx2, Kind::kMaxF32, PoolF32<real::Vector, MaxOf>},
};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::pool
