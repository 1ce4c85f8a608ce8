// Depthwise convolution with 3x3 and 5x5 filters for AVX-512 VNNI: sixteen channels a pass along a row.
//
// Method: a column of four input rows is gathered into one register, the bytes of a channel side by side (the
//         rows in the four 128-bit lanes, then vpermd and vpshufb), and meets the four weights of a channel in
//         vpdpbusd. Columns slide through registers as the filter moves. The fifth row of a 5x5 filter is
//         taken along the row: the last four columns' bytes are shifted through each 32-bit lane. Weights and
//         constants of sixteen channels stay in registers. A 3x3 filter with stride 1 takes two output rows at
//         once, whose four input rows fill the column. A pixel is multiplied before the one before it is
//         scaled and stored, so that fewer instructions wait for others.
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

// Sixteen channels of a layer.
template <int kFilter, int kStride, Form kForm, bool kNarrow>
class Block {
 public:
  Block(const Call& call, const Channels& channels, const Output& output, size_t block)
      : codes_(channels, block * kLanes, output),
        clamp_(output),
        bias_(codes_.Bias(channels, block * kLanes)),
        sixteen_{static_cast<__mmask16>((1u << (call.channels % kLanes)) - 1)},
        in_w_(call.in_w),
        out_w_(call.out_w),
        pitch_(call.channels),
        first_column_(-call.pad_left) {
    const int8_t* packed = static_cast<const int8_t*>(call.packed) + block * kGroups * 64;
#pragma GCC unroll 8
    for (size_t i = 0; i < kGroups; ++i) weights_[i] = _mm512_load_si512(packed + i * 64);
    const uint8_t flip = call.flip ^ 0x80;
    flip_ = _mm512_set1_epi8(static_cast<char>(flip));
    padding_ = _mm512_set1_epi8(static_cast<char>(call.padding ^ flip));
  }

  // kLines neighbouring output rows, whose filters cover the input rows `rows`; two only with 3x3 and stride 1.
  template <int kLines>
  void Lines(const int8_t* const* from, int8_t* out) const {
    constexpr int kRows = kFilter + kLines - 1;
    const int8_t* rows[kRows];
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) rows[i] = from[i];
    const Block block = *this;  // stores may not reload it
    Columns<kLines> columns;
    ptrdiff_t ix = block.first_column_;
    const auto slide = [&] {
      const bool is_inside = static_cast<size_t>(ix) < block.in_w_;
      columns.Slide(block, is_inside, rows, static_cast<size_t>(ix) * block.pitch_);
      ++ix;
    };
#pragma GCC unroll 8
    for (int i = 0; i < kFilter; ++i) slide();
    __m512i acc[kLines];
    columns.Dot(block, acc);
    const auto store = [&] {
#pragma GCC unroll 2
      for (int i = 0; i < kLines; ++i)
        block.sixteen_.Store(out + i * block.out_w_ * block.pitch_, block.clamp_.Bytes(block.codes_(acc[i])));
    };
    for (size_t x = 1; x < block.out_w_; ++x, out += block.pitch_) {
#pragma GCC unroll 2
      for (int i = 0; i < kStride; ++i) slide();
      __m512i next[kLines];
      columns.Dot(block, next);
      store();
#pragma GCC unroll 2
      for (int i = 0; i < kLines; ++i) acc[i] = next[i];
    }
    store();
  }

 private:
  static constexpr size_t kGroups = GroupCount(kFilter, 4);

  // What lies under the filter.
  template <int kLines>
  struct Columns {
    static constexpr bool kHasFourth = kFilter + kLines > 4;

    // In comes a column, `at` bytes into each row, or one of padding.
    void Slide(const Block& block, bool is_inside, const int8_t* const* rows, size_t at) {
#pragma GCC unroll 8
      for (int kx = 0; kx + 1 < kFilter; ++kx) quads[kx] = quads[kx + 1];
      if (kFilter == 5) before = _mm512_or_si512(_mm512_srli_epi32(before, 8), newest);
      if (!is_inside) {
        quads[kFilter - 1] = block.padding_;
        if (kFilter == 5) newest = _mm512_slli_epi32(block.padding_, 24);
        return;
      }
      const Sixteen<kNarrow>& sixteen = block.sixteen_;
      __m512i lanes = _mm512_castsi128_si512(sixteen.Load(rows[0] + at));
      lanes = _mm512_inserti32x4(lanes, sixteen.Load(rows[1] + at), 1);
      lanes = _mm512_inserti32x4(lanes, sixteen.Load(rows[2] + at), 2);
      if (kHasFourth) lanes = _mm512_inserti32x4(lanes, sixteen.Load(rows[3] + at), 3);
      const __m512i to_columns = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
      const __m512i transpose =
          _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
      quads[kFilter - 1] = _mm512_xor_si512(
          _mm512_shuffle_epi8(_mm512_permutexvar_epi32(to_columns, lanes), transpose), block.flip_);
      if (kFilter == 5) {
        const __m512i wide = _mm512_cvtepu8_epi32(sixteen.Load(rows[kFilter - 1] + at));
        newest = _mm512_slli_epi32(_mm512_xor_si512(wide, block.flip_), 24);
      }
    }

    // A second line lies one row lower in the quads: so do its weights.
    void Dot(const Block& block, __m512i (&acc)[kLines]) const {
#pragma GCC unroll 2
      for (int i = 0; i < kLines; ++i) {
        acc[i] = block.bias_;
#pragma GCC unroll 8
        for (int kx = 0; kx < kFilter; ++kx) {
          acc[i] = _mm512_dpbusd_epi32(acc[i], quads[kx], _mm512_slli_epi32(block.weights_[kx], 8 * i));
        }
        if (kFilter == 5) {
          acc[i] = _mm512_dpbusd_epi32(acc[i], before, block.weights_[5]);
          acc[i] = _mm512_dpbusd_epi32(acc[i], newest, block.weights_[6]);
        }
      }
    }

    __m512i quads[kFilter];            // [kx]: filter rows 0 to 3
    __m512i before = {}, newest = {};  // the fifth: columns 0 to 3; column 4 in the top byte
  };

  Codes16<kForm> codes_;
  ByteClamp clamp_;
  __m512i bias_, flip_, padding_, weights_[kGroups];
  Sixteen<kNarrow> sixteen_;
  size_t in_w_, out_w_, pitch_;
  ptrdiff_t first_column_;
};

template <int kFilter, int kStride, Form kForm, bool kNarrow>
void Run16(const Call& call, const Channels& channels, const Output& output, size_t index) {
  constexpr bool kTwoLines = kFilter == 3 && kStride == 1 && kForm != Form::kLiteral;
  const Block<kFilter, kStride, kForm, kNarrow> block(call, channels, output, index);
  const size_t start = BlockStart(index, call.channels, kLanes);
  for (size_t y = 0; y < call.count; ++y) {
    const int8_t* const* from = call.rows + y * kFilter;
    const int8_t* rows[kFilter + 1];
#pragma GCC unroll 8
    for (int ky = 0; ky < kFilter; ++ky) rows[ky] = from[ky] + start;
    int8_t* out = call.out + y * call.out_w * call.channels + start;
    // Rows of two images are no neighbours.
    if constexpr (kTwoLines) {
      if (y + 1 < call.count && from[1] == from[3] && from[2] == from[4]) {
        rows[3] = from[5] + start;
        block.template Lines<2>(rows, out);
        ++y;
        continue;
      }
    }
    block.template Lines<1>(rows, out);
  }
}

template <int kFilter, int kStride, Form kForm>
void RunBlocks(const Call& call, const Channels& channels, const Output& output) {
  if (call.channels < kLanes) return Run16<kFilter, kStride, kForm, true>(call, channels, output, 0);
  for (size_t block = 0; block < BlockCount(call.channels, kLanes); ++block) {
    Run16<kFilter, kStride, kForm, false>(call, channels, output, block);
  }
}

template <int kFilter, int kStride>
void Run(const Call& call, const Channels& channels, const Output& output) noexcept {
  switch (channels.form) {
    case Form::kPlain:
      return RunBlocks<kFilter, kStride, Form::kPlain>(call, channels, output);
    case Form::kSigned:
      return RunBlocks<kFilter, kStride, Form::kSigned>(call, channels, output);
    case Form::kLiteral:
      return RunBlocks<kFilter, kStride, Form::kLiteral>(call, channels, output);
  }
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
