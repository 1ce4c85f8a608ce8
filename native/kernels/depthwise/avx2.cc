// Depthwise convolution for AVX2.
//
// Method: the bytes of two taps are interleaved, widened to int16 and multiplied with interleaved weights by
//         vpmaddwd, which adds the two products; sixteen channels a pass, eight at the end.
// Exact:  codes lie in [-128, 127] and weights in [-255, 255]: a pair sums to at most 65280, the int32 sums
//         wrap.
// Reads:  taps inside [0, channels).
#include "kernels/depthwise/avx2.h"

#include <immintrin.h>
#include <string.h>

#include "kernels/depthwise/pack.h"
#include "kernels/requantize/avx2.h"

namespace lowbit::kernels::depthwise {

namespace {

struct Constants {
  __m256i zero_point, low, high;
  __m128i flip_in, flip_out;
};

inline __m256i LoadWeights(const int16_t* from) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}

inline __m256i MultiplyPairs(__m256i acc, __m128i pairs, const int16_t* weights) {
  return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_cvtepi8_epi16(pairs), LoadWeights(weights)));
}

// Sixteen channels from `start` (a multiple of 8). `weights` is block start / 8; the next block follows.
template <Rounding kRounding>
inline void Sixteen(const int8_t* const* taps, size_t tap_count, size_t start, const int16_t* weights,
                    size_t pairs, const Channels& channels, const Constants& constants, int8_t* out) {
  const auto load = [&](size_t t) {
    return _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(taps[t] + start)),
                         constants.flip_in);
  };
  const int16_t* next = weights + pairs * kLanes * 2;
  __m256i low8 = _mm256_setzero_si256(), high8 = _mm256_setzero_si256();
  size_t t = 0;
  for (; t + 2 <= tap_count; t += 2) {
    const __m128i a = load(t), b = load(t + 1);
    low8 = MultiplyPairs(low8, _mm_unpacklo_epi8(a, b), weights + t * kLanes);
    high8 = MultiplyPairs(high8, _mm_unpackhi_epi8(a, b), next + t * kLanes);
  }
  if (t < tap_count) {
    const __m128i a = load(t), none = _mm_setzero_si128();
    low8 = MultiplyPairs(low8, _mm_unpacklo_epi8(a, none), weights + t * kLanes);
    high8 = MultiplyPairs(high8, _mm_unpackhi_epi8(a, none), next + t * kLanes);
  }
  __m256i wide = _mm256_packs_epi32(Scale8<kRounding>(low8, channels, start),
                                    Scale8<kRounding>(high8, channels, start + 8));
  wide = _mm256_permute4x64_epi64(wide, 0xD8);
  wide = _mm256_min_epi16(_mm256_max_epi16(_mm256_adds_epi16(wide, constants.zero_point), constants.low),
                          constants.high);
  const __m128i codes = _mm_packs_epi16(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + start), _mm_xor_si128(codes, constants.flip_out));
}

// Eight channels from `start`; `load8(t)` gives their codes under tap t in the low half. The folded
// constants lie in groups of eight channels, so a block that starts elsewhere takes the literal form.
template <Rounding kRounding, typename Load8>
inline __m128i Eight(const Load8& load8, size_t tap_count, const int16_t* weights, const Channels& channels,
                     size_t start, const Constants& constants) {
  __m256i acc = _mm256_setzero_si256();
  size_t t = 0;
  for (; t + 2 <= tap_count; t += 2) {
    acc = MultiplyPairs(acc, _mm_unpacklo_epi8(load8(t), load8(t + 1)), weights + t * kLanes);
  }
  if (t < tap_count)
    acc = MultiplyPairs(acc, _mm_unpacklo_epi8(load8(t), _mm_setzero_si128()), weights + t * kLanes);
  constexpr Rounding kUnaligned = kRounding == Rounding::kFolded ? Rounding::kTwice : kRounding;
  const __m256i scaled =
      start % 8 == 0 ? Scale8<kRounding>(acc, channels, start) : Scale8<kUnaligned>(acc, channels, start);
  __m128i wide = _mm_packs_epi32(_mm256_castsi256_si128(scaled), _mm256_extracti128_si256(scaled, 1));
  wide = _mm_min_epi16(_mm_max_epi16(_mm_adds_epi16(wide, _mm256_castsi256_si128(constants.zero_point)),
                                     _mm256_castsi256_si128(constants.low)),
                       _mm256_castsi256_si128(constants.high));
  return _mm_xor_si128(_mm_packs_epi16(wide, wide), constants.flip_out);
}

template <Rounding kRounding>
void RunAll(const Call& call, const Channels& channels, const Output& output) {
  const Constants constants = {_mm256_set1_epi16(static_cast<int16_t>(output.zero_point)),
                               _mm256_set1_epi16(static_cast<int16_t>(output.low)),
                               _mm256_set1_epi16(static_cast<int16_t>(output.high)),
                               _mm_set1_epi8(static_cast<char>(call.flip)),
                               _mm_set1_epi8(static_cast<char>(output.flip))};
  const size_t pairs = PairCount(call.tap_count), block_size = pairs * kLanes * 2;
  const int16_t* packed = static_cast<const int16_t*>(call.packed);
  for (size_t pixel = 0; pixel < call.pixels; ++pixel) {
    const int8_t* const* taps = call.taps + pixel * call.tap_count;
    int8_t* out = call.out + static_cast<ptrdiff_t>(pixel) * call.out_stride;
    size_t c = 0;
    for (; c + 16 <= call.channels; c += 16) {
      Sixteen<kRounding>(taps, call.tap_count, c, packed + c / kLanes * block_size, pairs, channels,
                         constants, out);
    }
    for (; c < call.channels; c += kLanes) {
      const size_t start = BlockStart(c / kLanes, call.channels);
      const int16_t* weights = packed + c / kLanes * block_size;
      if (call.channels >= kLanes) {
        const auto load8 = [&](size_t t) {
          return _mm_xor_si128(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(taps[t] + start)),
                               constants.flip_in);
        };
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out + start),
                         Eight<kRounding>(load8, call.tap_count, weights, channels, start, constants));
      } else {
        const auto load8 = [&](size_t t) {
          uint64_t few = 0;
          for (size_t i = 0; i < call.channels; ++i)
            few |= uint64_t{static_cast<uint8_t>(taps[t][i])} << (8 * i);
          return _mm_xor_si128(_mm_cvtsi64_si128(static_cast<int64_t>(few)), constants.flip_in);
        };
        const __m128i codes = Eight<kRounding>(load8, call.tap_count, weights, channels, start, constants);
        alignas(16) int8_t all[16];
        _mm_store_si128(reinterpret_cast<__m128i*>(all), codes);
        memcpy(out, all, call.channels);
      }
    }
  }
}

void Run(const Call& call, const Channels& channels, const Output& output) noexcept {
  switch (channels.rounding) {
    case Rounding::kFolded:
      return RunAll<Rounding::kFolded>(call, channels, output);
    case Rounding::kTwice:
      return RunAll<Rounding::kTwice>(call, channels, output);
    case Rounding::kOnce:
      return RunAll<Rounding::kOnce>(call, channels, output);
  }
}

constexpr Row kList[] = {{"depthwise.s8s8.pairs.avx2", cpu::kAvx2, Run, &kPairs}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise
