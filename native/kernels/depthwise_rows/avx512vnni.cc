// Depthwise convolution with 3x3 and 5x5 filters for AVX-512 VNNI: sixteen channels a pass along a row.
//
// Method: a column of four input rows is gathered into one register, the bytes of a channel side by side (the
//         rows in the four 128-bit lanes, then vpermd and vpshufb), and meets the four weights of a channel in
//         vpdpbusd. Columns slide through registers as the filter moves. The fifth row of a 5x5 filter is
//         taken along the row: the last four columns' bytes are shifted through each 32-bit lane. Weights and
//         constants of sixteen channels stay in registers.
// Exact:  inputs are code + 128 in [0, 255], weights int8; vpdpbusd does not saturate, the int32 sums wrap.
// Reads:  rows inside [0, in_w x channels); with fewer than sixteen channels by masked loads.
#include "kernels/depthwise_rows/avx512vnni.h"

#include <immintrin.h>

#include "kernels/depthwise_rows/pack.h"
#include "kernels/requantize/avx512vnni.h"

namespace lowbit::kernels::depthwise_rows {

namespace {

constexpr size_t kLanes = 16;

// Loads and stores of sixteen channels, or of the few there are.
template <bool kNarrow>
struct Sixteen {
  __mmask16 some;
  __m128i Load(const int8_t* from) const {
    return kNarrow ? _mm_maskz_loadu_epi8(some, from)
                   : _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }
  void Store(int8_t* to, __m128i codes) const {
    if (kNarrow) {
      _mm_mask_storeu_epi8(to, some, codes);
    } else {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), codes);
    }
  }
};

// From int32 sums that began with Bias() to codes. What the folded form needs stays in registers.
template <bool kFolded>
struct Finish {
  Finish(const Channels& channels, const Output& output, size_t entry)
      : channels(channels), output(output), entry(entry) {
    low = _mm_set1_epi8(static_cast<char>(output.low));
    high = _mm_set1_epi8(static_cast<char>(output.high));
    flip = _mm_set1_epi8(static_cast<char>(output.flip));
    zero_point = _mm512_set1_epi32(output.zero_point);
    if (!kFolded) return;
    multiplier = LoadLanes16(channels.multiplier + entry);
    odd_multiplier = _mm512_srli_epi64(multiplier, 32);
    right = LoadLanes16(channels.right + entry);
    const __m512i first = LoadLanes16(channels.nudge + entry),
                  second = LoadLanes16(channels.nudge + entry + 8);
    even = _mm512_shuffle_i64x2(first, second, 0x44);
    odd = _mm512_shuffle_i64x2(first, second, 0xEE);
  }

  __m512i Bias() const { return kFolded ? LoadLanes16(channels.bias + entry) : _mm512_setzero_si512(); }

  // The scaled value is below 2^30, since the folded form shifts right at least once: adding the zero point
  // cannot overflow, and narrowing with saturation is part of the clamp.
  __m128i operator()(__m512i x) const {
    if (!kFolded) {
      return channels.rounding == Rounding::kOnce ? Codes16<Rounding::kOnce>(x, channels, entry, output)
                                                  : Codes16<Rounding::kTwice>(x, channels, entry, output);
    }
    const __m512i p0 = _mm512_add_epi64(_mm512_mul_epi32(x, multiplier), even);
    const __m512i p1 =
        _mm512_add_epi64(_mm512_mul_epi32(_mm512_shuffle_epi32(x, _MM_PERM_DDBB), odd_multiplier), odd);
    const __m512i r = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(p0, 31), _mm512_add_epi64(p1, p1));
    const __m512i scaled = _mm512_srav_epi32(_mm512_add_epi32(r, _mm512_srai_epi32(x, 31)), right);
    const __m128i codes = _mm512_cvtsepi32_epi8(_mm512_add_epi32(scaled, zero_point));
    return _mm_xor_si128(_mm_min_epi8(_mm_max_epi8(codes, low), high), flip);
  }

  const Channels& channels;
  const Output& output;
  size_t entry;
  __m512i multiplier, odd_multiplier, even, odd, right, zero_point;
  __m128i low, high, flip;
};

template <int kFilter, int kStride, bool kFolded, bool kNarrow>
void Run16(const Call& call, const Channels& channels, const Output& output, size_t block) {
  constexpr size_t kGroups = GroupCount(kFilter, 4);
  constexpr int kRows = kFilter == 3 ? 3 : 4;  // of a column
  const size_t start = BlockStart(block, call.channels, kLanes);
  const int8_t* packed = static_cast<const int8_t*>(call.packed) + block * kGroups * 64;
  __m512i weights[kGroups];
#pragma GCC unroll 8
  for (size_t i = 0; i < kGroups; ++i) weights[i] = _mm512_load_si512(packed + i * 64);
  const Finish<kFolded> finish(channels, output, block * kLanes);
  const __m512i bias = finish.Bias();
  const Sixteen<kNarrow> sixteen = {static_cast<__mmask16>((1u << (call.channels % kLanes)) - 1)};
  const __m512i lanes_to_columns = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i transpose =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const uint8_t flip_byte = call.flip ^ 0x80;
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(flip_byte));
  const __m512i top_flip = _mm512_set1_epi32(static_cast<int32_t>(uint32_t{flip_byte} << 24));
  const __m512i padding = _mm512_set1_epi8(static_cast<char>(call.padding ^ flip_byte));
  const __m512i top_padding = _mm512_slli_epi32(padding, 24);

  const size_t in_w = call.in_w, out_w = call.out_w, pitch = call.channels;  // stores may not reload them
  for (size_t y = 0; y < call.count; ++y) {
    const int8_t* rows[kFilter];
#pragma GCC unroll 8
    for (int ky = 0; ky < kFilter; ++ky) rows[ky] = call.rows[y * kFilter + static_cast<size_t>(ky)] + start;
    __m512i columns[kFilter];  // [kx]: filter rows 0 to 3
    __m512i last[2] = {};  // of the last filter row: the column before the newest and three more; the newest
    ptrdiff_t ix = -call.pad_left;
    const auto slide = [&] {  // in comes column ix
#pragma GCC unroll 8
      for (int kx = 0; kx + 1 < kFilter; ++kx) columns[kx] = columns[kx + 1];
      if (kFilter == 5) last[0] = _mm512_or_si512(_mm512_srli_epi32(last[0], 8), last[1]);
      if (static_cast<size_t>(ix) < in_w) {
        const size_t at = static_cast<size_t>(ix) * pitch;
        __m512i lanes = _mm512_castsi128_si512(sixteen.Load(rows[0] + at));
        lanes = _mm512_inserti32x4(lanes, sixteen.Load(rows[1] + at), 1);
        lanes = _mm512_inserti32x4(lanes, sixteen.Load(rows[2] + at), 2);
        if (kRows == 4) lanes = _mm512_inserti32x4(lanes, sixteen.Load(rows[3] + at), 3);
        columns[kFilter - 1] = _mm512_xor_si512(
            _mm512_shuffle_epi8(_mm512_permutexvar_epi32(lanes_to_columns, lanes), transpose), flip);
        if (kFilter == 5) {
          last[1] = _mm512_xor_si512(_mm512_slli_epi32(_mm512_cvtepu8_epi32(sixteen.Load(rows[4] + at)), 24),
                                     top_flip);
        }
      } else {
        columns[kFilter - 1] = padding;
        if (kFilter == 5) last[1] = top_padding;
      }
      ++ix;
    };
#pragma GCC unroll 8
    for (int i = 0; i < kFilter - kStride; ++i) slide();
    int8_t* out = call.out + y * out_w * pitch + start;
    const auto dot = [&] {
      __m512i acc = bias;
#pragma GCC unroll 8
      for (int kx = 0; kx < kFilter; ++kx) acc = _mm512_dpbusd_epi32(acc, columns[kx], weights[kx]);
      if (kFilter == 5) {
        acc = _mm512_dpbusd_epi32(acc, last[0], weights[5]);
        acc = _mm512_dpbusd_epi32(acc, last[1], weights[6]);
      }
      return acc;
    };
#pragma GCC unroll 2
    for (int i = 0; i < kStride; ++i) slide();
    __m512i acc = dot();
    for (size_t x = 1; x < out_w; ++x, out += pitch) {
#pragma GCC unroll 2
      for (int i = 0; i < kStride; ++i) slide();
      const __m512i next = dot();
      sixteen.Store(out, finish(acc));
      acc = next;
    }
    sixteen.Store(out, finish(acc));
  }
}

template <int kFilter, int kStride, bool kFolded>
void RunBlocks(const Call& call, const Channels& channels, const Output& output) {
  if (call.channels < kLanes) return Run16<kFilter, kStride, kFolded, true>(call, channels, output, 0);
  for (size_t block = 0; block < BlockCount(call.channels, kLanes); ++block) {
    Run16<kFilter, kStride, kFolded, false>(call, channels, output, block);
  }
}

template <int kFilter, int kStride>
void Run(const Call& call, const Channels& channels, const Output& output) noexcept {
  if (channels.rounding == Rounding::kFolded)
    return RunBlocks<kFilter, kStride, true>(call, channels, output);
  RunBlocks<kFilter, kStride, false>(call, channels, output);
}

constexpr Row kList[] = {
    {"depthwise_rows.u8s8.3x3s1.avx512vnni", cpu::kAvx512Vnni, 3, 1, 1, Run<3, 1>, &kQuads16},
    {"depthwise_rows.u8s8.3x3s2.avx512vnni", cpu::kAvx512Vnni, 3, 2, 1, Run<3, 2>, &kQuads16},
    {"depthwise_rows.u8s8.5x5s1.avx512vnni", cpu::kAvx512Vnni, 5, 1, 1, Run<5, 1>, &kQuads16},
    {"depthwise_rows.u8s8.5x5s2.avx512vnni", cpu::kAvx512Vnni, 5, 2, 1, Run<5, 2>, &kQuads16},
};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise_rows
