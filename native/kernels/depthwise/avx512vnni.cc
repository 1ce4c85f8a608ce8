// Depthwise convolution for AVX-512 VNNI.
//
// Method: the bytes of four taps are interleaved and multiplied with four weights a channel by vpdpbusd,
//         which adds the four products; 64 channels a pass, fewer by masks. Interleaving within 128-bit lanes
//         permutes the channels; packing the results undoes it (pack.h gives the order).
// Exact:  inputs are code + 128 in [0, 255], weights int8; vpdpbusd does not saturate, the int32 sums wrap.
// Reads:  taps inside [0, channels), by masked loads.
#include "kernels/depthwise/avx512vnni.h"

#include <immintrin.h>

#include "kernels/depthwise/pack.h"
#include "kernels/requantize/avx512vnni.h"

namespace lowbit::kernels::depthwise {

namespace {

// 64 entries of constants.
template <Form kForm>
struct Finish {
  Finish(const Channels& channels, size_t entry, const Output& output)
      : codes{{channels, entry, output},
              {channels, entry + 16, output},
              {channels, entry + 32, output},
              {channels, entry + 48, output}},
        clamp(output) {
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) bias[i] = Codes16<kForm>::Bias(channels, entry + 16 * i);
  }
  __m512i operator()(const __m512i* sums) const {
    return clamp.Mixed(codes[0](sums[0]), codes[1](sums[1]), codes[2](sums[2]), codes[3](sums[3]));
  }

  Codes16<kForm> codes[4];
  ByteClamp clamp;
  __m512i bias[4];
};

template <Form kForm>
void RunAll(const Call& call, const Channels& channels, const Output& output) {
  const __m512i flip_in = _mm512_set1_epi8(static_cast<char>(call.flip ^ 0x80));
  const size_t quads = QuadCount(call.tap_count);
  const int8_t* packed = static_cast<const int8_t*>(call.packed);
  for (size_t start = 0; start < call.channels; start += kQuadBlock) {
    const int8_t* block = packed + start * quads * 4;
    const Finish<kForm> finish(channels, start, output);
    const size_t left = call.channels - start;
    const __mmask64 some = left >= kQuadBlock ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
    for (size_t pixel = 0; pixel < call.pixels; ++pixel) {
      const int8_t* const* taps = call.taps + pixel * call.tap_count;
      const auto load = [&](size_t t) {  // a missing tap meets zero weights
        return t < call.tap_count ? _mm512_xor_si512(_mm512_maskz_loadu_epi8(some, taps[t] + start), flip_in)
                                  : _mm512_setzero_si512();
      };
      __m512i acc[4] = {finish.bias[0], finish.bias[1], finish.bias[2], finish.bias[3]};
      const int8_t* weights = block;
      for (size_t t = 0; t < call.tap_count; t += 4, weights += kQuadBlock * 4) {
        const __m512i a = load(t), b = load(t + 1), c = load(t + 2), d = load(t + 3);
        const __m512i ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
        const __m512i cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
        const auto w = [&](int j) { return _mm512_load_si512(weights + j * 64); };
        acc[0] = _mm512_dpbusd_epi32(acc[0], _mm512_unpacklo_epi16(ab_low, cd_low), w(0));
        acc[1] = _mm512_dpbusd_epi32(acc[1], _mm512_unpackhi_epi16(ab_low, cd_low), w(1));
        acc[2] = _mm512_dpbusd_epi32(acc[2], _mm512_unpacklo_epi16(ab_high, cd_high), w(2));
        acc[3] = _mm512_dpbusd_epi32(acc[3], _mm512_unpackhi_epi16(ab_high, cd_high), w(3));
      }
      _mm512_mask_storeu_epi8(call.out + static_cast<ptrdiff_t>(pixel) * call.out_stride + start, some,
                              finish(acc));
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

constexpr Row kList[] = {{"depthwise.u8s8.quads.avx512vnni", cpu::kAvx512Vnni, Run, &kQuads}};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise
