// Depthwise convolution with 3x3 and 5x5 filters for AVX2: eight channels a pass along a row.
//
// Method: the bytes of two input rows are interleaved and widened to int16 once, when their column enters, and
//         multiplied with pairs of weights by vpmaddwd under each place of the filter. The last row of the
//         filter is paired with itself, each column with the one before it. A 3x3 filter with stride 1 takes
//         two output rows at once, whose four input rows are two pairs.
// Exact:  codes lie in [-128, 127] and weights in [-255, 255]: a pair sums to at most 65280, the int32 sums
//         wrap.
// Reads:  rows inside [0, in_w x channels).
#include "kernels/depthwise_rows/avx2.h"

#include "kernels/depthwise_rows/avx2_eight.h"

namespace lowbit::kernels::depthwise_rows {

namespace {

template <int kFilter>
class Columns {
 public:
  static constexpr bool kAhead = false;  // too few registers

  Columns(const Call& call, size_t block)
      : weights_(static_cast<const int16_t*>(call.packed) + block * GroupCount(kFilter, 2) * kLanes * 2),
        flip_(_mm_set1_epi8(static_cast<char>(call.flip))),
        padding_(_mm_set1_epi8(static_cast<char>(call.padding))) {}

  void Enter(const int8_t* const* rows, size_t at) {
    Slide();
#pragma GCC unroll 2
    for (int i = 0; i < kPairs; ++i)
      pairs_[i][kFilter - 1] = Widen(Load8(rows[2 * i] + at), Load8(rows[2 * i + 1] + at));
    EnterLast(Load8(rows[kFilter - 1] + at));
  }
  void EnterPadding() {
    Slide();
#pragma GCC unroll 2
    for (int i = 0; i < kPairs; ++i) pairs_[i][kFilter - 1] = Widen(padding_, padding_);
    EnterLast(padding_);
  }

  __m256i Dot(__m256i acc) const {
    int group = 0;
    const auto add = [&](__m256i pair) {
      const __m256i* weights = reinterpret_cast<const __m256i*>(weights_) + group++;
      acc = _mm256_add_epi32(acc, _mm256_madd_epi16(pair, _mm256_load_si256(weights)));
    };
#pragma GCC unroll 2
    for (int i = 0; i < kPairs; ++i) {
#pragma GCC unroll 8
      for (int kx = 0; kx < kFilter; ++kx) add(pairs_[i][kx]);
    }
#pragma GCC unroll 8
    for (int kx = 0; kx + 1 < kFilter; kx += 2) add(last_[kx]);
    add(last_[kFilter - 2]);
    return acc;
  }

 private:
  static constexpr int kPairs = kFilter / 2;

  __m256i Widen(__m128i a, __m128i b) const {
    return _mm256_cvtepi8_epi16(_mm_xor_si128(_mm_unpacklo_epi8(a, b), flip_));
  }
  void Slide() {
#pragma GCC unroll 8
    for (int kx = 0; kx + 1 < kFilter; ++kx) {
#pragma GCC unroll 2
      for (int i = 0; i < kPairs; ++i) pairs_[i][kx] = pairs_[i][kx + 1];
    }
#pragma GCC unroll 8
    for (int kx = 0; kx + 2 < kFilter; ++kx) last_[kx] = last_[kx + 1];
  }
  void EnterLast(__m128i newest) {
    last_[kFilter - 2] = Widen(newest_, newest);
    newest_ = newest;
  }

  const int16_t* weights_;
  __m128i flip_, padding_;
  __m256i pairs_[kPairs][kFilter] = {};  // filter rows 2i and 2i + 1 of column kx
  __m256i last_[kFilter - 1] = {};       // the last filter row's columns kx and kx + 1
  __m128i newest_ = {};                  // its last column
};

// For TwoLines: rows 0 and 1 of a column are one pair, 2 and 3 the other.
class FourRows {
 public:
  struct Column {
    __m256i upper, lower;
  };

  FourRows(const Call& call, size_t block)
      : flip_(_mm_set1_epi8(static_cast<char>(call.flip))),
        padding_(Widen(_mm_set1_epi8(static_cast<char>(call.padding)))) {
    // (0, kx) and (1, kx) in groups 0 to 2; (2, 0) and (2, 1); nothing and (2, 2).
    const __m256i* packed = static_cast<const __m256i*>(call.packed) + block * GroupCount(3, 2);
    const __m256i last[3] = {_mm256_srli_epi32(_mm256_slli_epi32(packed[3], 16), 16),
                             _mm256_srli_epi32(packed[3], 16), _mm256_srli_epi32(packed[4], 16)};
#pragma GCC unroll 3
    for (int kx = 0; kx < 3; ++kx) {
      weights_[0][kx] = {packed[kx], last[kx]};
      weights_[1][kx] = {_mm256_slli_epi32(packed[kx], 16),
                         _mm256_or_si256(_mm256_srli_epi32(packed[kx], 16), _mm256_slli_epi32(last[kx], 16))};
    }
  }
  Column Enter(const int8_t* const* rows, size_t at) const {
    return {Widen(_mm_unpacklo_epi8(Load8(rows[0] + at), Load8(rows[1] + at))),
            Widen(_mm_unpacklo_epi8(Load8(rows[2] + at), Load8(rows[3] + at)))};
  }
  Column Padding() const { return {padding_, padding_}; }
  __m256i Dot(const Column* columns, int line, __m256i acc) const {
#pragma GCC unroll 3
    for (int kx = 0; kx < 3; ++kx) {
      const Column& weights = weights_[line][kx];
      acc = _mm256_add_epi32(acc, _mm256_madd_epi16(columns[kx].upper, weights.upper));
      acc = _mm256_add_epi32(acc, _mm256_madd_epi16(columns[kx].lower, weights.lower));
    }
    return acc;
  }

 private:
  __m256i Widen(__m128i codes) const { return _mm256_cvtepi8_epi16(_mm_xor_si128(codes, flip_)); }

  __m128i flip_;
  __m256i padding_;
  Column weights_[2][3];
};

constexpr Row kList[] = {
    {"depthwise_rows.s8s8.3x3s1.avx2", cpu::kAvx2, 3, 1, kLanes, RunTwoLines<Columns, FourRows>, &kPairs8},
    {"depthwise_rows.s8s8.3x3s2.avx2", cpu::kAvx2, 3, 2, kLanes, Run<Columns, 3, 2>, &kPairs8},
    {"depthwise_rows.s8s8.5x5s1.avx2", cpu::kAvx2, 5, 1, kLanes, Run<Columns, 5, 1>, &kPairs8},
    {"depthwise_rows.s8s8.5x5s2.avx2", cpu::kAvx2, 5, 2, kLanes, Run<Columns, 5, 2>, &kPairs8},
};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise_rows
