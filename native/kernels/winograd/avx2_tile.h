// The stages of Winograd convolutions in 256-bit registers; `Mac` is the instruction set's way to multiply pairs
// of int16 and add. For inclusion by kernel files built with AVX2 or more; all is in an unnamed namespace.
//
// Exact: codes are in [-128, 127] and rows of the input's transform have absolute sums of at most 10: planes lie
//        within 100 * 128 = 12800, weights within 12495 (pack.cc), so a pair of products sums to at most
//        319872000 < 2^31. Sums wrap, as docs/winograd.md allows.
// Reads: pixels inside [0, channels); planes up to an even number of channels.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/requantize/avx2.h"
#include "kernels/winograd/contract.h"

namespace lowbit::kernels::winograd {
namespace {

constexpr int kMr = 6, kNr = 16, kLanes = 16;
constexpr size_t kTilesAtOnce = 4;

// Sixteen codes as int16; of fewer than sixteen the rest is 0.
template <bool kAll>
inline __m256i LoadCodes(const int8_t* from, size_t count, __m128i flip) {
  __m128i codes;
  if (kAll) {
    codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  } else {
    alignas(16) int8_t all[16] = {};
    memcpy(all, from, count);
    codes = _mm_load_si128(reinterpret_cast<const __m128i*>(all));
  }
  return _mm256_cvtepi8_epi16(_mm_xor_si128(codes, flip));
}

// One direction of the input's transform.
template <int kTile>
inline void ToPoints(const __m256i* d, __m256i* t) {
  const __m256i c = _mm256_sub_epi16(kTile == 4 ? d[4] : d[0], d[2]);
  if (kTile == 4) {
    const __m256i f = _mm256_sub_epi16(d[3], d[1]), twice = _mm256_add_epi16(f, f);
    const __m256i a = _mm256_sub_epi16(d[4], _mm256_slli_epi16(d[2], 2));
    const __m256i b = _mm256_sub_epi16(d[3], _mm256_slli_epi16(d[1], 2));
    t[0] = _mm256_add_epi16(_mm256_slli_epi16(_mm256_sub_epi16(d[0], d[2]), 2), c);
    t[1] = _mm256_add_epi16(a, b);
    t[2] = _mm256_sub_epi16(a, b);
    t[3] = _mm256_add_epi16(c, twice);
    t[4] = _mm256_sub_epi16(c, twice);
    t[5] = _mm256_sub_epi16(_mm256_sub_epi16(d[5], d[3]), _mm256_slli_epi16(f, 2));
  } else {
    t[0] = c;
    t[1] = _mm256_add_epi16(d[1], d[2]);
    t[2] = _mm256_sub_epi16(d[2], d[1]);
    t[3] = _mm256_sub_epi16(d[1], d[3]);
  }
}

// Rows of the image under a strip: outside, the padding pixel again and again.
struct RowView {
  const int8_t* first;
  size_t step;
};

template <int kTileH, int kTileW, bool kAll>
inline void TransformLanes(const Image& image, const Strip& strip, const RowView* rows, size_t c,
                           const Planes<int16_t>& planes) {
  constexpr int kRows = kTileH + 2, kColumns = kTileW + 2;
  constexpr size_t kWidth = kTilesAtOnce * kTileW + 2;
  const size_t rest = image.channels - c;
  const __m128i flip = _mm_set1_epi8(static_cast<char>(image.flip));
  // Columns of points, the first direction done; neighbouring tiles share two.
  __m256i half[kRows][kWidth];
  int16_t* out = planes.first + strip.slot * planes.slot_stride + c;
  const ptrdiff_t left = static_cast<ptrdiff_t>(strip.x) - image.pad_left;
  for (size_t t = 0; t < strip.count; t += kTilesAtOnce) {
    const size_t tiles = strip.count - t < kTilesAtOnce ? strip.count - t : kTilesAtOnce;
    size_t column = 0;
    if (t > 0) {
      for (int i = 0; i < kRows; ++i) {
        half[i][0] = half[i][kWidth - 2];
        half[i][1] = half[i][kWidth - 1];
      }
      column = 2;
    }
    for (; column < tiles * kTileW + 2; ++column) {
      const ptrdiff_t x = left + static_cast<ptrdiff_t>(t * kTileW + column);
      const bool inside = x >= 0 && x < static_cast<ptrdiff_t>(image.w);
      __m256i d[kRows], points[kRows];
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) {
        const int8_t* from = inside ? rows[i].first + static_cast<size_t>(x) * rows[i].step : image.padding;
        d[i] = LoadCodes<kAll>(from + c, rest, flip);
      }
      ToPoints<kTileH>(d, points);
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) half[i][column] = points[i];
    }
    for (size_t tile = 0; tile < tiles; ++tile, out += planes.slot_stride) {
      for (int i = 0; i < kRows; ++i) {
        __m256i points[kColumns];
        ToPoints<kTileW>(&half[i][tile * kTileW], points);
        const size_t row = static_cast<size_t>(PointOf(i, kTileH, planes.points) * planes.points);
#pragma GCC unroll 6
        for (int j = 0; j < kColumns; ++j) {
          const size_t plane = row + static_cast<size_t>(PointOf(j, kTileW, planes.points));
          _mm256_store_si256(reinterpret_cast<__m256i*>(out + plane * planes.plane_stride), points[j]);
        }
      }
    }
  }
}

template <int kTileH, int kTileW>
void TransformTiles(const Image& image, const Strip& strip, const Planes<int16_t>& planes) {
  RowView rows[kTileH + 2];
  for (int i = 0; i < kTileH + 2; ++i) {
    const ptrdiff_t y = static_cast<ptrdiff_t>(strip.y) + i - image.pad_top;
    const bool inside = y >= 0 && y < static_cast<ptrdiff_t>(image.h);
    rows[i].first = inside ? image.pixels + static_cast<size_t>(y) * image.w * image.channels : image.padding;
    rows[i].step = inside ? image.channels : 0;
  }
  size_t c = 0;
  for (; c + kLanes <= image.channels; c += kLanes) {
    TransformLanes<kTileH, kTileW, true>(image, strip, rows, c, planes);
  }
  if (c < image.channels) TransformLanes<kTileH, kTileW, false>(image, strip, rows, c, planes);
}

void TransformStrip(const Image& image, const Strip& strip, const Planes<int16_t>& planes) noexcept {
  if (strip.tile_h == 4) {
    if (strip.tile_w == 4) return TransformTiles<4, 4>(image, strip, planes);
    return TransformTiles<4, 2>(image, strip, planes);
  }
  if (strip.tile_w == 4) return TransformTiles<2, 4>(image, strip, planes);
  TransformTiles<2, 2>(image, strip, planes);
}

// g++ otherwise reorders the row updates, needs more than sixteen registers and spills accumulators in the
// loop.
inline void KeepInRegisters(__m256i& a, __m256i& b) {
#if defined(__GNUC__)
  __asm__("" : "+x"(a), "+x"(b));
#else
  (void)a, (void)b;
#endif
}

inline __m256i BroadcastPair(const int16_t* from) {
  int32_t pair;
  memcpy(&pair, from, sizeof pair);
  return _mm256_set1_epi32(pair);
}

// Weights of the next plane, fetched while those at hand are used, an equal part in each tile: they are read
// once a run, from memory more often than not.
struct Ahead {
  const char* from;
  size_t step;  // bytes a pair of channels
};

// kRows slots of one plane x kNr outputs.
template <typename Mac, int kRows>
inline void MultiplyTile(const int16_t* input, size_t stride, const int16_t* weights, size_t channels,
                         int32_t* sums, Ahead ahead) {
  __m256i acc[kRows][2];
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) acc[m][0] = acc[m][1] = _mm256_setzero_si256();
  const int16_t* rows[kRows];
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) rows[m] = input + static_cast<size_t>(m) * stride;
  for (size_t k = 0; k < channels; k += 2) {
    const __m256i w0 = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
    const __m256i w1 = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + 16));
    weights += kNr * 2;
    _mm_prefetch(ahead.from, _MM_HINT_T0);
    ahead.from += ahead.step;
#pragma GCC unroll 6
    for (int m = 0; m < kRows; ++m) {
      const __m256i a = BroadcastPair(rows[m] + k);
      acc[m][0] = Mac::Add(acc[m][0], a, w0);
      acc[m][1] = Mac::Add(acc[m][1], a, w1);
      KeepInRegisters(acc[m][0], acc[m][1]);
    }
  }
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums + m * kNr), acc[m][0]);
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums + m * kNr + 8), acc[m][1]);
  }
}

template <typename Mac>
inline void MultiplyRows(size_t rows, const int16_t* input, size_t stride, const int16_t* weights,
                         size_t channels, int32_t* sums, Ahead ahead) {
  switch (rows) {
    case 1:
      return MultiplyTile<Mac, 1>(input, stride, weights, channels, sums, ahead);
    case 2:
      return MultiplyTile<Mac, 2>(input, stride, weights, channels, sums, ahead);
    case 3:
      return MultiplyTile<Mac, 3>(input, stride, weights, channels, sums, ahead);
    case 4:
      return MultiplyTile<Mac, 4>(input, stride, weights, channels, sums, ahead);
    case 5:
      return MultiplyTile<Mac, 5>(input, stride, weights, channels, sums, ahead);
    default:
      return MultiplyTile<Mac, 6>(input, stride, weights, channels, sums, ahead);
  }
}

template <typename Mac>
void MultiplyPlanes(const Product& product) noexcept {
  const Planes<const int16_t>& in = product.input;
  const Planes<int32_t>& out = product.sums;
  const int16_t* weights = product.packed;
  const size_t planes = static_cast<size_t>(in.points) * static_cast<size_t>(in.points);
  for (size_t p = 0; p < planes; ++p, weights += product.channels * kNr) {
    const Range slots = product.slots[p];
    const size_t tiles = (slots.count + kMr - 1) / kMr;
    const size_t pairs = product.channels / 2;
    Ahead ahead = {reinterpret_cast<const char*>(weights + product.channels * kNr), tiles ? 64 / tiles : 0};
    for (size_t t = 0; t < tiles; ++t) {  // slots are shared out evenly: no short last tile
      const size_t from = slots.first + slots.count * t / tiles;
      const size_t to = slots.first + slots.count * (t + 1) / tiles;
      MultiplyRows<Mac>(to - from, in.first + p * in.plane_stride + from * in.slot_stride, in.slot_stride,
                        weights, product.channels, out.first + p * out.plane_stride + from * kNr, ahead);
      ahead.from += pairs * ahead.step;
    }
  }
}

// One direction of the output's transform: output i comes out 3 * 2^ShiftOf(i) times too large.
template <int kTile>
inline void FromPoints(const __m256i* m, __m256i* y) {
  const __m256i s = _mm256_add_epi32(m[1], m[2]), d = _mm256_sub_epi32(m[1], m[2]);
  if (kTile == 4) {
    const __m256i u = _mm256_add_epi32(m[3], m[4]), v = _mm256_sub_epi32(m[3], m[4]);
    y[0] = _mm256_add_epi32(_mm256_sub_epi32(m[0], _mm256_slli_epi32(s, 2)), u);
    y[1] = _mm256_sub_epi32(v, _mm256_add_epi32(d, d));
    y[2] = _mm256_sub_epi32(u, s);
    y[3] = _mm256_add_epi32(_mm256_sub_epi32(_mm256_add_epi32(v, v), d), m[5]);
  } else {
    y[0] = _mm256_add_epi32(m[0], _mm256_add_epi32(s, _mm256_add_epi32(s, s)));
    y[1] = _mm256_sub_epi32(_mm256_add_epi32(d, _mm256_add_epi32(d, d)), m[3]);
  }
}

constexpr int ShiftOf(int tile, int i) { return tile == 4 && i < 2 ? 3 - i : 1; }

// Eight channels of one tile: pixels[i][j][half].
template <int kTileH, int kTileW>
inline void RestoreTile(const Planes<const int32_t>& sums, const int32_t* from, int half,
                        __m256i (*pixels)[kTileW][2]) {
  constexpr int kRows = kTileH + 2, kColumns = kTileW + 2;
  const __m256i inverse = _mm256_set1_epi32(static_cast<int32_t>(kInverseOfNine));
  const ptrdiff_t step = static_cast<ptrdiff_t>(sums.plane_stride);
  const int32_t* lines[kRows];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) lines[i] = from + PointOf(i, kTileH, sums.points) * sums.points * step;
  __m256i rows[kTileH][kColumns];
#pragma GCC unroll 6
  for (int j = 0; j < kColumns; ++j) {
    __m256i m[kRows], y[kTileH];
    const ptrdiff_t column = PointOf(j, kTileW, sums.points) * step;
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) {
      m[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(lines[i] + column));
    }
    FromPoints<kTileH>(m, y);
#pragma GCC unroll 4
    for (int i = 0; i < kTileH; ++i) rows[i][j] = y[i];
  }
#pragma GCC unroll 4
  for (int i = 0; i < kTileH; ++i) {
    __m256i y[kTileW];
    FromPoints<kTileW>(rows[i], y);
#pragma GCC unroll 4
    for (int j = 0; j < kTileW; ++j) {
      pixels[i][j][half] =
          _mm256_srai_epi32(_mm256_mullo_epi32(y[j], inverse), ShiftOf(kTileH, i) + ShiftOf(kTileW, j));
    }
  }
}

// What turns sums of sixteen channels into codes.
template <Form kForm>
struct Epilogue {
  const Codes8<kForm> lower, upper;
  const __m256i lower_bias, upper_bias;
  const ByteClamp clamp;
  Epilogue(const Channels& channels, size_t c, const Output& output)
      : lower(channels, c, output),
        upper(channels, c + 8, output),
        lower_bias(lower.Bias(channels, c)),
        upper_bias(upper.Bias(channels, c + 8)),
        clamp(output) {}

  // Two pixels.
  __m256i Codes(const __m256i (&first)[2], const __m256i (&second)[2]) const {
    return clamp.Bytes(
        lower(_mm256_add_epi32(first[0], lower_bias)), upper(_mm256_add_epi32(first[1], upper_bias)),
        lower(_mm256_add_epi32(second[0], lower_bias)), upper(_mm256_add_epi32(second[1], upper_bias)));
  }
};

template <int kTileH, int kTileW, Form kForm>
void FinishTiles(const Planes<const int32_t> sums, const Strip strip, const Target target,
                 const Channels& channels, const Output& output) {
  const Epilogue<kForm> epilogue(channels, target.channel, output);
  const int32_t* from = sums.first + strip.slot * sums.slot_stride;
  const size_t rows = target.h - strip.y < kTileH ? target.h - strip.y : kTileH;
  for (size_t t = 0; t < strip.count; ++t, from += sums.slot_stride) {
    __m256i pixels[kTileH][kTileW][2];
    RestoreTile<kTileH, kTileW>(sums, from, 0, pixels);
    RestoreTile<kTileH, kTileW>(sums, from + 8, 1, pixels);
    const size_t x = strip.x + t * kTileW;
    const size_t columns = target.w - x < kTileW ? target.w - x : kTileW;
    for (size_t i = 0; i < rows; ++i) {
      int8_t* out = target.pixels + ((strip.y + i) * target.w + x) * target.pixel_stride;
      for (size_t j = 0; j < columns; j += 2, out += 2 * target.pixel_stride) {
        const __m256i codes = epilogue.Codes(pixels[i][j], pixels[i][j + 1]);
        StoreBytes<kNr>(out, _mm256_castsi256_si128(codes), target.cols);
        if (j + 1 < columns) {
          StoreBytes<kNr>(out + target.pixel_stride, _mm256_extracti128_si256(codes, 1), target.cols);
        }
      }
    }
  }
}

template <int kTileH, int kTileW>
void FinishAs(const Planes<const int32_t>& sums, const Strip& strip, const Target& target,
              const Channels& channels, const Output& output) {
  switch (channels.form) {
    case Form::kPlain:
      return FinishTiles<kTileH, kTileW, Form::kPlain>(sums, strip, target, channels, output);
    case Form::kSigned:
      return FinishTiles<kTileH, kTileW, Form::kSigned>(sums, strip, target, channels, output);
    case Form::kLiteral:
      return FinishTiles<kTileH, kTileW, Form::kLiteral>(sums, strip, target, channels, output);
  }
}

void FinishStrip(const Planes<const int32_t>& sums, const Strip& strip, const Target& target,
                 const Channels& channels, const Output& output) noexcept {
  if (strip.tile_h == 4) {
    if (strip.tile_w == 4) return FinishAs<4, 4>(sums, strip, target, channels, output);
    return FinishAs<4, 2>(sums, strip, target, channels, output);
  }
  if (strip.tile_w == 4) return FinishAs<2, 4>(sums, strip, target, channels, output);
  FinishAs<2, 2>(sums, strip, target, channels, output);
}

}  // namespace
}  // namespace lowbit::kernels::winograd
