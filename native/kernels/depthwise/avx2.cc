// Depthwise convolution for AVX2.
//
// Method: the bytes of two taps are interleaved, widened to int16 and multiplied with interleaved weights by
//         vpmaddwd, which adds the two products; sixteen channels a pass, eight at the end.
// Exact:  codes lie in [-128, 127] and weights in [-255, 255]: a pair sums to at most 65280, the int32 sums
//         wrap.
// Reads:  taps inside [0, channels).
#include "kernels/depthwise/avx2.h"

#include <immintrin.h>

#include "kernels/depthwise/pack.h"
#include "kernels/requantize/avx2.h"

namespace lowbit::kernels::depthwise {

namespace {

inline __m256i LoadWeights(const int16_t* from) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}

inline __m256i MultiplyPairs(__m256i acc, __m128i pairs, const int16_t* weights) {
  return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_cvtepi8_epi16(pairs), LoadWeights(weights)));
}

// What turns sums into codes; entries of constants follow the blocks.
template <Form kForm>
struct Finish {
  const Channels& channels;
  const Output& output;
  const ByteClamp clamp;
  __m128i flip_in;

  Finish(const Call& call, const Channels& the_channels, const Output& the_output)
      : channels(the_channels),
        output(the_output),
        clamp(the_output),
        flip_in(_mm_set1_epi8(static_cast<char>(call.flip))) {}
  __m256i Bias(size_t entry) const { return Codes8<kForm>::Bias(channels, entry); }
  __m256i Codes(__m256i sums, size_t entry) const { return Codes8<kForm>(channels, entry, output)(sums); }
};

// Sixteen channels from `start` (a multiple of 8). `weights` is block start / 8; the next block follows.
template <Form kForm>
inline void Sixteen(const int8_t* const* taps, size_t tap_count, size_t start, const int16_t* weights,
                    size_t pairs, const Finish<kForm>& finish, int8_t* out) {
  const auto load = [&](size_t t) {
    return _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(taps[t] + start)), finish.flip_in);
  };
  const int16_t* next = weights + pairs * kLanes * 2;
  __m256i low8 = finish.Bias(start), high8 = finish.Bias(start + 8);
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
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + start),
                   finish.clamp.Bytes(finish.Codes(low8, start), finish.Codes(high8, start + 8)));
}

// Eight channels; `load8(t)` gives their codes under tap t in the low half.
template <Form kForm, typename Load8>
inline __m128i Eight(const Load8& load8, size_t tap_count, const int16_t* weights, size_t entry,
                     const Finish<kForm>& finish) {
  __m256i acc = finish.Bias(entry);
  size_t t = 0;
  for (; t + 2 <= tap_count; t += 2) {
    acc = MultiplyPairs(acc, _mm_unpacklo_epi8(load8(t), load8(t + 1)), weights + t * kLanes);
  }
  if (t < tap_count)
    acc = MultiplyPairs(acc, _mm_unpacklo_epi8(load8(t), _mm_setzero_si128()), weights + t * kLanes);
  const __m256i codes = finish.Codes(acc, entry);
  return finish.clamp.Bytes(codes, codes);
}

template <Form kForm>
void RunAll(const Call& call, const Channels& channels, const Output& output) {
  const Finish<kForm> finish(call, channels, output);
  const size_t pairs = PairCount(call.tap_count), block_size = pairs * kLanes * 2;
  const int16_t* packed = static_cast<const int16_t*>(call.packed);
  for (size_t pixel = 0; pixel < call.pixels; ++pixel) {
    const int8_t* const* taps = call.taps + pixel * call.tap_count;
    int8_t* out = call.out + static_cast<ptrdiff_t>(pixel) * call.out_stride;
    size_t c = 0;
    for (; c + 16 <= call.channels; c += 16) {
      Sixteen(taps, call.tap_count, c, packed + c / kLanes * block_size, pairs, finish, out);
    }
    for (; c < call.channels; c += kLanes) {
      const size_t start = BlockStart(c / kLanes, call.channels);
      const int16_t* weights = packed + c / kLanes * block_size;
      if (call.channels >= kLanes) {
        const auto load8 = [&](size_t t) {
          return _mm_xor_si128(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(taps[t] + start)),
                               finish.flip_in);
        };
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out + start),
                         Eight(load8, call.tap_count, weights, c, finish));
      } else {
        const auto load8 = [&](size_t t) {
          uint64_t few = 0;
          for (size_t i = 0; i < call.channels; ++i)
            few |= uint64_t{static_cast<uint8_t>(taps[t][i])} << (8 * i);
          return _mm_xor_si128(_mm_cvtsi64_si128(static_cast<int64_t>(few)), finish.flip_in);
        };
        StoreBytes<8>(out, Eight(load8, call.tap_count, weights, c, finish), static_cast<int>(call.channels));
      }
    }
  }
}

void Run(const Call& call, const Channels& channels, const Output& output) noexcept {
  switch (channels.form) {
    case Form::kPlain:
      return RunAll<Form::kPlain>(call, channels, output);
    case Form::kSigned:
      return RunAll<Form::kSigned>(call, channels, output);
    case Form::kLiteral:
      return RunAll<Form::kLiteral>(call, channels, output);
  }
}

constexpr Row kList[] = {{"depthwise.s8s8.pairs.avx2", cpu::kAvx2, Run, &kPairs}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise
