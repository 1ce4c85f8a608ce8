// Depthwise convolution with 3x3 and 5x5 filters for AVX-VNNI: eight channels a pass along a row.
//
// Method: the bytes of four input rows are interleaved once, when their column enters, and multiplied with the
//         four weights of a channel by vpdpbusd under each place of the filter. The fifth row of a 5x5 filter
//         is taken along the row: the last four columns' bytes are shifted through each 32-bit lane. A 3x3
//         filter with stride 1 takes two output rows at once, whose four input rows fill the column.
// Exact:  inputs are code + 128 in [0, 255], weights int8; vpdpbusd does not saturate, the int32 sums wrap.
// Reads:  rows inside [0, in_w x channels).
#include "kernels/depthwise_rows/avxvnni.h"

#include "kernels/depthwise_rows/avx2_eight.h"

namespace lowbit::kernels::depthwise_rows {

namespace {

template <int kFilter>
class Columns {
 public:
  static constexpr bool kAhead = true;

  Columns(const Call& call, size_t block)
      : weights_(static_cast<const int8_t*>(call.packed) + block * GroupCount(kFilter, 4) * kLanes * 4),
        flip_(_mm256_set1_epi8(static_cast<char>(call.flip ^ 0x80))),
        padding_(_mm256_set1_epi8(static_cast<char>(call.padding ^ call.flip ^ 0x80))) {}

  void Enter(const int8_t* const* rows, size_t at) {
    Slide();
    const __m128i third = Load8(rows[2] + at), fourth = kFilter == 5 ? Load8(rows[3] + at) : third;
    const __m128i ab = _mm_unpacklo_epi8(Load8(rows[0] + at), Load8(rows[1] + at));
    const __m128i cd = _mm_unpacklo_epi8(third, fourth);
    columns_[kFilter - 1] =
        _mm256_xor_si256(_mm256_set_m128i(_mm_unpackhi_epi16(ab, cd), _mm_unpacklo_epi16(ab, cd)), flip_);
    if (kFilter == 5) {
      const __m256i wide = _mm256_cvtepu8_epi32(Load8(rows[4] + at));
      newest_ = _mm256_slli_epi32(_mm256_xor_si256(wide, flip_), 24);
    }
  }
  void EnterPadding() {
    Slide();
    columns_[kFilter - 1] = padding_;
    if (kFilter == 5) newest_ = _mm256_slli_epi32(padding_, 24);
  }

  __m256i Dot(__m256i acc) const {
    const auto weights = [&](int group) {
      return _mm256_load_si256(reinterpret_cast<const __m256i*>(weights_) + group);
    };
#pragma GCC unroll 8
    for (int kx = 0; kx < kFilter; ++kx) acc = _mm256_dpbusd_avx_epi32(acc, columns_[kx], weights(kx));
    if (kFilter == 5) {
      acc = _mm256_dpbusd_avx_epi32(acc, last_, weights(5));
      acc = _mm256_dpbusd_avx_epi32(acc, newest_, weights(6));
    }
    return acc;
  }

 private:
  void Slide() {
#pragma GCC unroll 8
    for (int kx = 0; kx + 1 < kFilter; ++kx) columns_[kx] = columns_[kx + 1];
    if (kFilter == 5) last_ = _mm256_or_si256(_mm256_srli_epi32(last_, 8), newest_);
  }

  const int8_t* weights_;
  __m256i flip_, padding_;
  __m256i columns_[kFilter] = {};    // filter rows 0 to 3 (of a 3x3 filter 0 to 2) of column kx
  __m256i last_ = {}, newest_ = {};  // the fifth filter row: columns 0 to 3; column 4 in the top byte
};

// For TwoLines: four input rows fill the quads, in which the lower output row's weights lie a place further.
class FourRows {
 public:
  using Column = __m256i;

  FourRows(const Call& call, size_t block)
      : flip_(_mm256_set1_epi8(static_cast<char>(call.flip ^ 0x80))),
        padding_(_mm256_set1_epi8(static_cast<char>(call.padding ^ call.flip ^ 0x80))) {
    const __m256i* packed = static_cast<const __m256i*>(call.packed) + block * GroupCount(3, 4);
#pragma GCC unroll 3
    for (int kx = 0; kx < 3; ++kx) {
      weights_[0][kx] = packed[kx];
      weights_[1][kx] = _mm256_slli_epi32(packed[kx], 8);
    }
  }
  Column Enter(const int8_t* const* rows, size_t at) const {
    const __m128i ab = _mm_unpacklo_epi8(Load8(rows[0] + at), Load8(rows[1] + at));
    const __m128i cd = _mm_unpacklo_epi8(Load8(rows[2] + at), Load8(rows[3] + at));
    return _mm256_xor_si256(_mm256_set_m128i(_mm_unpackhi_epi16(ab, cd), _mm_unpacklo_epi16(ab, cd)), flip_);
  }
  Column Padding() const { return padding_; }
  __m256i Dot(const Column* columns, int line, __m256i acc) const {
#pragma GCC unroll 3
    for (int kx = 0; kx < 3; ++kx) acc = _mm256_dpbusd_avx_epi32(acc, columns[kx], weights_[line][kx]);
    return acc;
  }

 private:
  __m256i flip_, padding_, weights_[2][3];
};

constexpr Row kList[] = {
    {"depthwise_rows.u8s8.3x3s1.avxvnni", cpu::kAvxVnni, 3, 1, kLanes, RunTwoLines<Columns, FourRows>,
     &kQuads8},
    {"depthwise_rows.u8s8.3x3s2.avxvnni", cpu::kAvxVnni, 3, 2, kLanes, Run<Columns, 3, 2>, &kQuads8},
    {"depthwise_rows.u8s8.5x5s1.avxvnni", cpu::kAvxVnni, 5, 1, kLanes, Run<Columns, 5, 1>, &kQuads8},
    {"depthwise_rows.u8s8.5x5s2.avxvnni", cpu::kAvxVnni, 5, 2, kLanes, Run<Columns, 5, 2>, &kQuads8},
};

}  // namespace

const Rows kAvxVnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise_rows
