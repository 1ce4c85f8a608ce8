// Bilinear resizing for AVX2, eight channels at once; pixels of fewer go one element at a time.
//
// The last block of a pixel ends with it: it overlaps the one before.
// Exact: floats by the operations of mix.h in their order. int8: |sum| <= 128 * 3072^2 < 2^31 for weights
//        within [-1024, 1024]; the quotient is cut to eight bits as a cast does.
#include "kernels/resize/avx2.h"

#include <immintrin.h>
#include <string.h>

#include "kernels/resize/mix.h"

namespace lowbit::kernels::resize {
namespace {

inline __m128i Load8Bytes(const void* p) { return _mm_loadl_epi64(static_cast<const __m128i*>(p)); }

// The low bytes of eight int32.
inline void StoreLowBytes(void* p, __m256i x) {
  const __m256i bytes = _mm256_and_si256(x, _mm256_set1_epi32(0xFF));
  const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
  _mm_storel_epi64(static_cast<__m128i*>(p), _mm_packus_epi16(words, words));
}

struct RealShares {
  __m256 y, not_y, x, not_x;
  RealShares(float row, float column)
      : y(_mm256_set1_ps(row)),
        not_y(_mm256_set1_ps(1 - row)),
        x(_mm256_set1_ps(column)),
        not_x(_mm256_set1_ps(1 - column)) {}
  __m256 Mix(__m256 a, __m256 b, __m256 c, __m256 d) const {
    __m256 sum = _mm256_mul_ps(_mm256_mul_ps(a, not_y), not_x);
    sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_mul_ps(c, y), not_x));
    sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_mul_ps(b, not_y), x));
    return _mm256_add_ps(sum, _mm256_mul_ps(_mm256_mul_ps(d, y), x));
  }
};

struct F32 {
  using Element = float;
  using Weight = float;
  RealShares shares;
  F32(const Line& line, float column) : shares(line.row_weight, column) {}
  void operator()(const float* a, const float* b, const float* c, const float* d, float* out) const {
    _mm256_storeu_ps(
        out, shares.Mix(_mm256_loadu_ps(a), _mm256_loadu_ps(b), _mm256_loadu_ps(c), _mm256_loadu_ps(d)));
  }
};

struct U8 {
  using Element = uint8_t;
  using Weight = float;
  RealShares shares;
  U8(const Line& line, float column) : shares(line.row_weight, column) {}
  static __m256 Load(const uint8_t* p) { return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(Load8Bytes(p))); }
  void operator()(const uint8_t* a, const uint8_t* b, const uint8_t* c, const uint8_t* d,
                  uint8_t* out) const {
    __m256 mixed = _mm256_add_ps(shares.Mix(Load(a), Load(b), Load(c), Load(d)), _mm256_set1_ps(0.5f));
    mixed = _mm256_min_ps(_mm256_max_ps(mixed, _mm256_setzero_ps()), _mm256_set1_ps(255.0f));
    StoreLowBytes(out, _mm256_cvttps_epi32(mixed));
  }
};

struct S8 {
  using Element = int8_t;
  using Weight = int32_t;
  __m256i rows, x, not_x;  // rows: pairs of the shares of the upper and the lower line
  S8(const Line& line, int32_t column)
      : rows(_mm256_set1_epi32(static_cast<int32_t>(static_cast<uint32_t>(line.row_weight_1024) << 16 |
                                                    static_cast<uint32_t>(1024 - line.row_weight_1024)))),
        x(_mm256_set1_epi32(column)),
        not_x(_mm256_set1_epi32(1024 - column)) {}
  // Eight columns: upper * (1024 - y) + lower * y.
  __m256i Column(const int8_t* upper, const int8_t* lower) const {
    const __m128i top = _mm_cvtepi8_epi16(Load8Bytes(upper)), bottom = _mm_cvtepi8_epi16(Load8Bytes(lower));
    return _mm256_madd_epi16(
        _mm256_set_m128i(_mm_unpackhi_epi16(top, bottom), _mm_unpacklo_epi16(top, bottom)), rows);
  }
  void operator()(const int8_t* a, const int8_t* b, const int8_t* c, const int8_t* d, int8_t* out) const {
    const __m256i mixed =
        _mm256_add_epi32(_mm256_mullo_epi32(Column(a, c), not_x), _mm256_mullo_epi32(Column(b, d), x));
    const __m256i size = _mm256_add_epi32(_mm256_abs_epi32(mixed), _mm256_set1_epi32(1 << 19));
    StoreLowBytes(out, _mm256_sign_epi32(_mm256_srli_epi32(size, 20), mixed));
  }
};

inline float ShareOfRow(const Line& line, float) { return line.row_weight; }
inline int32_t ShareOfRow(const Line& line, int32_t) { return line.row_weight_1024; }

template <typename Block>
void Bilinear(const Line& line, void* out) {
  using T = typename Block::Element;
  using Weight = typename Block::Weight;
  const T* top = static_cast<const T*>(line.top);
  const T* bottom = static_cast<const T*>(line.bottom);
  const Weight* weights = static_cast<const Weight*>(line.column_weights);
  T* to = static_cast<T*>(out);
  const size_t channels = line.channels;
  const Weight y = ShareOfRow(line, Weight{});
  for (size_t x = 0; x < line.width; ++x, to += channels) {
    const size_t left = line.first[x] * channels, right = line.second[x] * channels;
    if (channels < 8) {
      for (size_t c = 0; c < channels; ++c) {
        to[c] = Mix(top[left + c], top[right + c], bottom[left + c], bottom[right + c], y, weights[x]);
      }
      continue;
    }
    const Block block(line, weights[x]);
    const auto mix = [&](size_t c) {
      block(top + left + c, top + right + c, bottom + left + c, bottom + right + c, to + c);
    };
    size_t c = 0;
    for (; c + 8 <= channels; c += 8) mix(c);
    if (c < channels) mix(channels - 8);
  }
}

constexpr Row kList[] = {
    {"resize.bilinear.f32.avx2", cpu::kAvx2, Kind::kF32, Bilinear<F32>},
    {"resize.bilinear.u8.avx2", cpu::kAvx2, Kind::kU8, Bilinear<U8>},
    {"resize.bilinear.s8.avx2", cpu::kAvx2, Kind::kS8, Bilinear<S8>},
};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::resize
