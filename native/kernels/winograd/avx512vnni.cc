// Winograd convolutions for AVX-512 VNNI: 8 tiles x 32 outputs, pairs of int16 products by vpdpwssd. The bounds
// of avx2_tile.h hold here too.
//
// Reads: pixels inside [0, channels); planes up to an even number of channels.
#include "kernels/winograd/avx512vnni.h"

#include <immintrin.h>
#include <string.h>

#include "kernels/requantize/avx512vnni.h"
#include "kernels/winograd/contract.h"

namespace lowbit::kernels::winograd {

namespace {

constexpr int kMr = 8, kNr = 32, kLanes = 32;
constexpr size_t kTilesAtOnce = 4;

// One direction of the input's transform.
template <int kTile>
inline void ToPoints(const __m512i* d, __m512i* t) {
  const __m512i c = _mm512_sub_epi16(kTile == 4 ? d[4] : d[0], d[2]);
  if (kTile == 4) {
    const __m512i f = _mm512_sub_epi16(d[3], d[1]), twice = _mm512_add_epi16(f, f);
    const __m512i a = _mm512_sub_epi16(d[4], _mm512_slli_epi16(d[2], 2));
    const __m512i b = _mm512_sub_epi16(d[3], _mm512_slli_epi16(d[1], 2));
    t[0] = _mm512_add_epi16(_mm512_slli_epi16(_mm512_sub_epi16(d[0], d[2]), 2), c);
    t[1] = _mm512_add_epi16(a, b);
    t[2] = _mm512_sub_epi16(a, b);
    t[3] = _mm512_add_epi16(c, twice);
    t[4] = _mm512_sub_epi16(c, twice);
    t[5] = _mm512_sub_epi16(_mm512_sub_epi16(d[5], d[3]), _mm512_slli_epi16(f, 2));
  } else {
    t[0] = c;
    t[1] = _mm512_add_epi16(d[1], d[2]);
    t[2] = _mm512_sub_epi16(d[2], d[1]);
    t[3] = _mm512_sub_epi16(d[1], d[3]);
  }
}

// Rows of the image under a strip: outside, the padding pixel again and again.
struct RowView {
  const int8_t* first;
  size_t step;
};

template <int kTileH, int kTileW>
inline void TransformLanes(const Image& image, const Strip& strip, const RowView* rows, size_t c,
                           const Planes<int16_t>& planes) {
  constexpr int kRows = kTileH + 2, kColumns = kTileW + 2;
  constexpr size_t kWidth = kTilesAtOnce * kTileW + 2;
  const size_t rest = image.channels - c;
  const __mmask32 lanes = rest >= kLanes ? ~__mmask32{0} : (__mmask32{1} << rest) - 1;
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(image.flip));
  // Columns of points, the first direction done; neighbouring tiles share two.
  __m512i half[kRows][kWidth];
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
      __m512i d[kRows], points[kRows];
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) {
        const int8_t* from = inside ? rows[i].first + static_cast<size_t>(x) * rows[i].step : image.padding;
        d[i] = _mm512_cvtepi8_epi16(_mm256_xor_si256(_mm256_maskz_loadu_epi8(lanes, from + c), flip));
      }
      ToPoints<kTileH>(d, points);
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) half[i][column] = points[i];
    }
    for (size_t tile = 0; tile < tiles; ++tile, out += planes.slot_stride) {
      for (int i = 0; i < kRows; ++i) {
        __m512i points[kColumns];
        ToPoints<kTileW>(&half[i][tile * kTileW], points);
        const size_t row = static_cast<size_t>(PointOf(i, kTileH, planes.points) * planes.points);
#pragma GCC unroll 6
        for (int j = 0; j < kColumns; ++j) {
          const size_t plane = row + static_cast<size_t>(PointOf(j, kTileW, planes.points));
          _mm512_store_si512(out + plane * planes.plane_stride, points[j]);
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
  for (size_t c = 0; c < image.channels; c += kLanes) {
    TransformLanes<kTileH, kTileW>(image, strip, rows, c, planes);
  }
}

void TransformStrip(const Image& image, const Strip& strip, const Planes<int16_t>& planes) noexcept {
  if (strip.tile_h == 4) {
    if (strip.tile_w == 4) return TransformTiles<4, 4>(image, strip, planes);
    return TransformTiles<4, 2>(image, strip, planes);
  }
  if (strip.tile_w == 4) return TransformTiles<2, 4>(image, strip, planes);
  TransformTiles<2, 2>(image, strip, planes);
}

// g++ otherwise reorders the row updates and spills accumulators in the loop.
inline void KeepInRegisters(__m512i& a, __m512i& b) {
#if defined(__GNUC__)
  __asm__("" : "+v"(a), "+v"(b));
#else
  (void)a, (void)b;
#endif
}

inline __m512i BroadcastPair(const int16_t* from) {
  int32_t pair;
  memcpy(&pair, from, sizeof pair);
  return _mm512_set1_epi32(pair);
}

// Weights of the next plane, fetched while those at hand are used, an equal part in each tile: they are read
// once a run, from memory more often than not.
struct Ahead {
  const char* from;
  size_t step;  // bytes a pair of channels
};

// kRows slots of one plane x kNr outputs.
template <int kRows>
inline void MultiplyTile(const int16_t* input, size_t stride, const int16_t* weights, size_t channels,
                         int32_t* sums, Ahead ahead) {
  __m512i acc[kRows][2];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) acc[m][0] = acc[m][1] = _mm512_setzero_si512();
  const int16_t* rows[kRows];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) rows[m] = input + static_cast<size_t>(m) * stride;
  const size_t half = channels * kNr;  // bytes
  for (size_t k = 0; k < channels; k += 2) {
    const __m512i w0 = _mm512_load_si512(weights), w1 = _mm512_load_si512(weights + 32);
    weights += kNr * 2;
    _mm_prefetch(ahead.from, _MM_HINT_T0);
    _mm_prefetch(ahead.from + half, _MM_HINT_T0);
    ahead.from += ahead.step;
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
      const __m512i a = BroadcastPair(rows[m] + k);
      acc[m][0] = _mm512_dpwssd_epi32(acc[m][0], a, w0);
      acc[m][1] = _mm512_dpwssd_epi32(acc[m][1], a, w1);
      KeepInRegisters(acc[m][0], acc[m][1]);
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
    _mm512_store_si512(sums + m * kNr, acc[m][0]);
    _mm512_store_si512(sums + m * kNr + 16, acc[m][1]);
  }
}

inline void MultiplyRows(size_t rows, const int16_t* input, size_t stride, const int16_t* weights,
                         size_t channels, int32_t* sums, Ahead ahead) {
  switch (rows) {
    case 1:
      return MultiplyTile<1>(input, stride, weights, channels, sums, ahead);
    case 2:
      return MultiplyTile<2>(input, stride, weights, channels, sums, ahead);
    case 3:
      return MultiplyTile<3>(input, stride, weights, channels, sums, ahead);
    case 4:
      return MultiplyTile<4>(input, stride, weights, channels, sums, ahead);
    case 5:
      return MultiplyTile<5>(input, stride, weights, channels, sums, ahead);
    case 6:
      return MultiplyTile<6>(input, stride, weights, channels, sums, ahead);
    case 7:
      return MultiplyTile<7>(input, stride, weights, channels, sums, ahead);
    default:
      return MultiplyTile<8>(input, stride, weights, channels, sums, ahead);
  }
}

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
      MultiplyRows(to - from, in.first + p * in.plane_stride + from * in.slot_stride, in.slot_stride, weights,
                   product.channels, out.first + p * out.plane_stride + from * kNr, ahead);
      ahead.from += pairs * ahead.step;
    }
  }
}

// One direction of the output's transform: output i comes out 3 * 2^ShiftOf(i) times too large.
template <int kTile>
inline void FromPoints(const __m512i* m, __m512i* y) {
  const __m512i s = _mm512_add_epi32(m[1], m[2]), d = _mm512_sub_epi32(m[1], m[2]);
  if (kTile == 4) {
    const __m512i u = _mm512_add_epi32(m[3], m[4]), v = _mm512_sub_epi32(m[3], m[4]);
    y[0] = _mm512_add_epi32(_mm512_sub_epi32(m[0], _mm512_slli_epi32(s, 2)), u);
    y[1] = _mm512_sub_epi32(v, _mm512_add_epi32(d, d));
    y[2] = _mm512_sub_epi32(u, s);
    y[3] = _mm512_add_epi32(_mm512_sub_epi32(_mm512_add_epi32(v, v), d), m[5]);
  } else {
    y[0] = _mm512_add_epi32(m[0], _mm512_add_epi32(s, _mm512_add_epi32(s, s)));
    y[1] = _mm512_sub_epi32(_mm512_add_epi32(d, _mm512_add_epi32(d, d)), m[3]);
  }
}

constexpr int ShiftOf(int tile, int i) { return tile == 4 && i < 2 ? 3 - i : 1; }

// Sixteen channels of one tile: pixels[i][j][half].
template <int kTileH, int kTileW>
inline void RestoreTile(const Planes<const int32_t>& sums, const int32_t* from, int half,
                        __m512i (*pixels)[kTileW][2]) {
  constexpr int kRows = kTileH + 2, kColumns = kTileW + 2;
  const __m512i inverse = _mm512_set1_epi32(static_cast<int32_t>(kInverseOfNine));
  const ptrdiff_t step = static_cast<ptrdiff_t>(sums.plane_stride);
  const int32_t* lines[kRows];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) lines[i] = from + PointOf(i, kTileH, sums.points) * sums.points * step;
  __m512i rows[kTileH][kColumns];
#pragma GCC unroll 6
  for (int j = 0; j < kColumns; ++j) {
    __m512i m[kRows], y[kTileH];
    const ptrdiff_t column = PointOf(j, kTileW, sums.points) * step;
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) m[i] = _mm512_load_si512(lines[i] + column);
    FromPoints<kTileH>(m, y);
#pragma GCC unroll 4
    for (int i = 0; i < kTileH; ++i) rows[i][j] = y[i];
  }
#pragma GCC unroll 4
  for (int i = 0; i < kTileH; ++i) {
    __m512i y[kTileW];
    FromPoints<kTileW>(rows[i], y);
#pragma GCC unroll 4
    for (int j = 0; j < kTileW; ++j) {
      pixels[i][j][half] = _mm512_srai_epi32(_mm512_mullo_epi32(y[j], inverse),
                                             static_cast<unsigned>(ShiftOf(kTileH, i) + ShiftOf(kTileW, j)));
    }
  }
}

// What turns sums of 32 channels into codes.
template <Form kForm>
struct Epilogue {
  const Codes16<kForm> lower, upper;
  const __m512i lower_bias, upper_bias;
  const ByteClamp clamp;
  Epilogue(const Channels& channels, size_t c, const Output& output)
      : lower(channels, c, output),
        upper(channels, c + 16, output),
        lower_bias(lower.Bias(channels, c)),
        upper_bias(upper.Bias(channels, c + 16)),
        clamp(output) {}

  // Two pixels.
  __m512i Codes(const __m512i (&first)[2], const __m512i (&second)[2]) const {
    return clamp.Bytes(
        lower(_mm512_add_epi32(first[0], lower_bias)), upper(_mm512_add_epi32(first[1], upper_bias)),
        lower(_mm512_add_epi32(second[0], lower_bias)), upper(_mm512_add_epi32(second[1], upper_bias)));
  }
};

template <int kTileH, int kTileW, Form kForm>
void FinishTiles(const Planes<const int32_t> sums, const Strip strip, const Target target,
                 const Channels& channels, const Output& output) {
  const Epilogue<kForm> epilogue(channels, target.channel, output);
  const int32_t* from = sums.first + strip.slot * sums.slot_stride;
  const size_t rows = target.h - strip.y < kTileH ? target.h - strip.y : kTileH;
  const ptrdiff_t stride = static_cast<ptrdiff_t>(target.pixel_stride);
  for (size_t t = 0; t < strip.count; ++t, from += sums.slot_stride) {
    __m512i pixels[kTileH][kTileW][2];
    RestoreTile<kTileH, kTileW>(sums, from, 0, pixels);
    RestoreTile<kTileH, kTileW>(sums, from + 16, 1, pixels);
    const size_t x = strip.x + t * kTileW;
    const size_t columns = target.w - x < kTileW ? target.w - x : kTileW;
    for (size_t i = 0; i < rows; ++i) {
      int8_t* out = target.pixels + ((strip.y + i) * target.w + x) * target.pixel_stride;
      for (size_t j = 0; j < columns; j += 2, out += 2 * target.pixel_stride) {
        Store64<2>(out, epilogue.Codes(pixels[i][j], pixels[i][j + 1]), stride,
                   static_cast<ptrdiff_t>(columns - j), target.cols);
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

constexpr Row kList[] = {
    {"winograd.s8s8.f4.8x32c2.avx512vnni", cpu::kAvx512Vnni, 4, kMr, kNr, kLanes, TransformStrip,
     MultiplyPlanes, FinishStrip},
    {"winograd.s8s8.f2.8x32c2.avx512vnni", cpu::kAvx512Vnni, 2, kMr, kNr, kLanes, TransformStrip,
     MultiplyPlanes, FinishStrip},
};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::winograd
