// The walk along rows that the kernels of eight channels share, AVX2. For inclusion by avx2.cc and avxvnni.cc.
//
// `Columns` holds what lies under the filter: Enter(rows, at) takes in the next column of the input, `at`
// bytes into each row, EnterPadding() one of padding, and Dot(bias) multiplies. kAhead: two pixels are
// multiplied before the two before them are scaled and stored, so that fewer instructions wait for others.
#pragma once

#include <immintrin.h>

#include "kernels/depthwise_rows/contract.h"
#include "kernels/depthwise_rows/pack.h"
#include "kernels/requantize/avx2.h"

namespace lowbit::kernels::depthwise_rows {
namespace {

constexpr size_t kLanes = 8;

inline __m128i Load8(const int8_t* from) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)); }

// From sums that began with `bias` to codes; constants are read as they are needed, there are too few registers.
template <Form kForm>
struct Finish {
  Finish(const Channels& channels, const Output& output, size_t entry)
      : bias(Codes8<kForm>::Bias(channels, entry)), codes(channels, entry, output), clamp(output) {}

  // The codes of two pixels, one in each half.
  __m128i operator()(__m256i first, __m256i second) const { return clamp.Bytes(codes(first), codes(second)); }

  const __m256i bias;
  const Codes8<kForm> codes;
  const ByteClamp clamp;
};

template <typename Columns, int kFilter, int kStride, Form kForm>
void Run8(const Call& call, const Channels& channels, const Output& output, size_t block) {
  const size_t start = BlockStart(block, call.channels, kLanes);
  const size_t in_w = call.in_w, out_w = call.out_w, pitch = call.channels;  // stores may not reload them
  const Finish<kForm> finish(channels, output, block * kLanes);
  Columns columns(call, block);
  for (size_t y = 0; y < call.count; ++y) {
    const int8_t* rows[kFilter];
#pragma GCC unroll 8
    for (int ky = 0; ky < kFilter; ++ky) rows[ky] = call.rows[y * kFilter + static_cast<size_t>(ky)] + start;
    ptrdiff_t ix = -call.pad_left;
    const auto slide = [&] {
      if (static_cast<size_t>(ix) < in_w) {
        columns.Enter(rows, static_cast<size_t>(ix) * pitch);
      } else {
        columns.EnterPadding();
      }
      ++ix;
    };
    const auto next_pixel = [&] {
#pragma GCC unroll 2
      for (int i = 0; i < kStride; ++i) slide();
      return columns.Dot(finish.bias);
    };
#pragma GCC unroll 8
    for (int i = 0; i < kFilter - kStride; ++i) slide();
    int8_t* out = call.out + y * out_w * pitch + start;
    const auto store = [&](__m256i first, __m256i second) {
      const __m128i codes = finish(first, second);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(out), codes);
      _mm_storeh_pi(reinterpret_cast<__m64*>(out + pitch), _mm_castsi128_ps(codes));
      out += 2 * pitch;
    };
    const size_t pairs = out_w / 2;
    if (Columns::kAhead && pairs) {
      __m256i first = next_pixel(), second = next_pixel();
      for (size_t i = 1; i < pairs; ++i) {
        const __m256i third = next_pixel(), fourth = next_pixel();
        store(first, second);
        first = third;
        second = fourth;
      }
      store(first, second);
    } else {
      for (size_t i = 0; i < pairs; ++i) {
        const __m256i first = next_pixel(), second = next_pixel();
        store(first, second);
      }
    }
    if (out_w % 2) {
      const __m256i only = next_pixel();
      _mm_storel_epi64(reinterpret_cast<__m128i*>(out), finish(only, only));
    }
  }
}

template <typename Columns, int kFilter, int kStride, Form kForm>
void RunBlocks(const Call& call, const Channels& channels, const Output& output) {
  for (size_t block = 0; block < BlockCount(call.channels, kLanes); ++block)
    Run8<Columns, kFilter, kStride, kForm>(call, channels, output, block);
}

template <template <int> class Columns, int kFilter, int kStride>
void Run(const Call& call, const Channels& channels, const Output& output) noexcept {
  switch (channels.form) {
    case Form::kPlain:
      return RunBlocks<Columns<kFilter>, kFilter, kStride, Form::kPlain>(call, channels, output);
    case Form::kSigned:
      return RunBlocks<Columns<kFilter>, kFilter, kStride, Form::kSigned>(call, channels, output);
    case Form::kLiteral:
      return RunBlocks<Columns<kFilter>, kFilter, kStride, Form::kLiteral>(call, channels, output);
  }
}

// Two neighbouring output rows of a 3x3 filter with stride 1, which have two of their input rows in common.
// `FourRows` makes columns of all four, and multiplies those under a pixel of line 0 or 1.
template <typename FourRows, Form kForm>
void TwoLines(const Call& call, const Channels& channels, const Output& output, size_t block,
              const int8_t* const* rows, int8_t* out) {
  const size_t in_w = call.in_w, out_w = call.out_w, pitch = call.channels;  // stores may not reload them
  const Finish<kForm> finish(channels, output, block * kLanes);
  const FourRows four(call, block);
  typename FourRows::Column columns[3];
  ptrdiff_t ix = -call.pad_left;
  const auto slide = [&] {
    columns[0] = columns[1];
    columns[1] = columns[2];
    columns[2] =
        static_cast<size_t>(ix) < in_w ? four.Enter(rows, static_cast<size_t>(ix) * pitch) : four.Padding();
    ++ix;
  };
  const auto dot = [&](int line) { return four.Dot(columns, line, finish.bias); };
  const auto store = [&](__m256i upper, __m256i lower) {
    const __m128i codes = finish(upper, lower);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), codes);
    _mm_storeh_pi(reinterpret_cast<__m64*>(out + out_w * pitch), _mm_castsi128_ps(codes));
    out += pitch;
  };
#pragma GCC unroll 3
  for (int i = 0; i < 3; ++i) slide();
  __m256i upper = dot(0), lower = dot(1);
  for (size_t x = 1; x < out_w; ++x) {
    slide();
    const __m256i next_upper = dot(0), next_lower = dot(1);
    store(upper, lower);
    upper = next_upper;
    lower = next_lower;
  }
  store(upper, lower);
}

template <template <int> class Columns, typename FourRows, Form kForm>
void RunByTwo(const Call& call, const Channels& channels, const Output& output) {
  for (size_t block = 0; block < BlockCount(call.channels, kLanes); ++block) {
    const size_t start = BlockStart(block, call.channels, kLanes);
    for (size_t y = 0; y < call.count; ++y) {
      const int8_t* const* from = call.rows + y * 3;
      Call line = call;
      line.rows = from;
      line.out = call.out + y * call.out_w * call.channels;
      line.count = 1;
      // Rows of two images are no neighbours.
      if (y + 1 < call.count && from[1] == from[3] && from[2] == from[4]) {
        const int8_t* rows[4] = {from[0] + start, from[1] + start, from[2] + start, from[5] + start};
        TwoLines<FourRows, kForm>(call, channels, output, block, rows, line.out + start);
        ++y;
      } else {
        Run8<Columns<3>, 3, 1, kForm>(line, channels, output, block);
      }
    }
  }
}

template <template <int> class Columns, typename FourRows>
void RunTwoLines(const Call& call, const Channels& channels, const Output& output) noexcept {
  switch (channels.form) {
    case Form::kPlain:
      return RunByTwo<Columns, FourRows, Form::kPlain>(call, channels, output);
    case Form::kSigned:
      return RunByTwo<Columns, FourRows, Form::kSigned>(call, channels, output);
    case Form::kLiteral:
      return Run<Columns, 3, 1>(call, channels, output);
  }
}

}  // namespace
}  // namespace lowbit::kernels::depthwise_rows
