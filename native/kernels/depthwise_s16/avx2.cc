// 16x8 depthwise convolution for AVX2: sixteen channels a pass.
//
// Method: the codes of two taps are interleaved and multiplied with interleaved weights by vpmaddwd.
// Exact:  only for layers whose |bias + sum| stays below 2^31 (FitsBlocks). A product with the 16-bit factor
//         then stays below 2^46; with 2^62 added it is positive, so that a logical shift serves, and what
//         2^62 became is taken off again modulo 2^32, which is what the reference keeps. A pair of products
//         is at most 2 * 2^15 * 128 < 2^31.
// Reads:  taps inside [0, channels).
#include "kernels/depthwise_s16/avx2.h"

#include <immintrin.h>

#include "kernels/depthwise_s16/pack.h"

namespace lowbit::kernels::depthwise_s16 {

namespace {

inline __m256i Load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }

// Eight channels of the block's order, the first or the last.
inline __m256i Scale(__m256i acc, const Constants& constants, int from) {
  const __m256i x = _mm256_add_epi32(acc, Load(constants.bias + from));
  const __m256i m = Load(constants.multiplier + from);
  const __m256i p0 = _mm256_add_epi64(_mm256_mul_epi32(x, m), Load(constants.nudge + from));
  const __m256i p1 =
      _mm256_add_epi64(_mm256_mul_epi32(_mm256_shuffle_epi32(x, 0xF5), _mm256_shuffle_epi32(m, 0xF5)),
                       Load(constants.nudge + from + 4));
  const __m256i even = _mm256_srlv_epi64(p0, Load(constants.shift + from));
  const __m256i odd = _mm256_srlv_epi64(p1, Load(constants.shift + from + 4));
  const __m256i both = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
  return _mm256_sub_epi32(both, Load(constants.offset + from));
}

void Run(const Call& call) noexcept {
  const __m256i low = _mm256_set1_epi16(static_cast<int16_t>(call.low));
  const __m256i high = _mm256_set1_epi16(static_cast<int16_t>(call.high));
  for (size_t block = 0; block < BlockCount(call.channels); ++block) {
    const size_t start = BlockStart(block, call.channels);
    const char* packed = static_cast<const char*>(call.packed) + block * BlockBytes(call.tap_count);
    const Constants& constants = *reinterpret_cast<const Constants*>(packed);
    const __m256i* const weights = reinterpret_cast<const __m256i*>(packed + sizeof(Constants));
    for (size_t pixel = 0; pixel < call.pixels; ++pixel) {
      const int16_t* const* taps = call.taps + pixel * call.tap_count;
      __m256i first = _mm256_setzero_si256(), last = first;
      const auto add = [&](size_t pair, __m256i a, __m256i b) {
        const __m256i* w = weights + pair * 2;
        first = _mm256_add_epi32(first, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), _mm256_load_si256(w)));
        last =
            _mm256_add_epi32(last, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), _mm256_load_si256(w + 1)));
      };
      size_t t = 0;
      for (; t + 2 <= call.tap_count; t += 2) add(t / 2, Load(taps[t] + start), Load(taps[t + 1] + start));
      if (t < call.tap_count) add(t / 2, Load(taps[t] + start), _mm256_setzero_si256());
      const __m256i codes = _mm256_packs_epi32(Scale(first, constants, 0), Scale(last, constants, 8));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(call.out + pixel * call.channels + start),
                          _mm256_min_epi16(_mm256_max_epi16(codes, low), high));
    }
  }
}

constexpr Row kList[] = {
    {"depthwise.s16s8.pairs.avx2", cpu::kAvx2, FitsBlocks, BlocksBytes, PackBlocks, Run}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise_s16
