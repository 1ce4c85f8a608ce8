// The stages of Winograd convolutions as plain loops over their matrices: the oracle of the others.
#include "kernels/winograd/scalar.h"

#include "kernels/requantize/scalar.h"

namespace lowbit::kernels::winograd {

namespace {

constexpr int kNr = 4;

// Of the input: one row a point.
constexpr int kInput4[6][6] = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                               {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
constexpr int kInput2[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
// Of the sums: row i gives 3 * 2^kShift[i] times output i.
constexpr int kOutput4[4][6] = {
    {1, -4, -4, 1, 1, 0}, {0, -2, 2, 1, -1, 0}, {0, -1, -1, 1, 1, 0}, {0, -1, 1, 2, -2, 1}};
constexpr int kOutput2[2][4] = {{1, 3, 3, 0}, {0, 3, -3, -1}};
constexpr int kShift4[4] = {3, 2, 1, 1}, kShift2[2] = {1, 1};

int InputFactor(int tile, int point, int i) { return tile == 4 ? kInput4[point][i] : kInput2[point][i]; }
uint32_t OutputFactor(int tile, int i, int point) {
  return static_cast<uint32_t>(tile == 4 ? kOutput4[i][point] : kOutput2[i][point]);
}
int ShiftOf(int tile, int i) { return tile == 4 ? kShift4[i] : kShift2[i]; }

// The code of channel c under row i, column j of the tile at (y, x).
int CodeAt(const Image& image, size_t y, size_t x, int i, int j, size_t c) {
  const ptrdiff_t row = static_cast<ptrdiff_t>(y) + i - image.pad_top;
  const ptrdiff_t column = static_cast<ptrdiff_t>(x) + j - image.pad_left;
  const bool inside = row >= 0 && row < static_cast<ptrdiff_t>(image.h) && column >= 0 &&
                      column < static_cast<ptrdiff_t>(image.w);
  const int8_t* pixel =
      inside
          ? image.pixels + (static_cast<size_t>(row) * image.w + static_cast<size_t>(column)) * image.channels
          : image.padding;
  return static_cast<int8_t>(static_cast<uint8_t>(pixel[c]) ^ image.flip);
}

void TransformTile(const Image& image, const Strip& strip, size_t t, const Planes<int16_t>& planes) {
  const size_t x = strip.x + t * static_cast<size_t>(strip.tile_w);
  for (int p = 0; p < strip.tile_h + 2; ++p) {
    for (int q = 0; q < strip.tile_w + 2; ++q) {
      const int plane =
          PointOf(p, strip.tile_h, planes.points) * planes.points + PointOf(q, strip.tile_w, planes.points);
      int16_t* out = planes.first + static_cast<size_t>(plane) * planes.plane_stride +
                     (strip.slot + t) * planes.slot_stride;
      for (size_t c = 0; c < planes.slot_stride; ++c) {
        int sum = 0;
        for (int i = 0; c < image.channels && i < strip.tile_h + 2; ++i) {
          for (int j = 0; j < strip.tile_w + 2; ++j) {
            sum += InputFactor(strip.tile_h, p, i) * InputFactor(strip.tile_w, q, j) *
                   CodeAt(image, strip.y, x, i, j, c);
          }
        }
        out[c] = static_cast<int16_t>(sum);
      }
    }
  }
}

void TransformStrip(const Image& image, const Strip& strip, const Planes<int16_t>& planes) noexcept {
  for (size_t t = 0; t < strip.count; ++t) TransformTile(image, strip, t, planes);
}

void MultiplyPlanes(const Product& product) noexcept {
  const Planes<const int16_t>& in = product.input;
  const size_t planes = static_cast<size_t>(in.points) * static_cast<size_t>(in.points);
  for (size_t p = 0; p < planes; ++p) {
    const int16_t* weights = product.packed + p * product.channels * kNr;
    const Range slots = product.slots[p];
    for (size_t s = slots.first; s < slots.first + slots.count; ++s) {
      const int16_t* lhs = in.first + p * in.plane_stride + s * in.slot_stride;
      for (size_t n = 0; n < kNr; ++n) {
        uint32_t sum = 0;
        for (size_t c = 0; c < product.channels; ++c) {
          sum += static_cast<uint32_t>(lhs[c] * weights[(c / 2 * kNr + n) * 2 + c % 2]);
        }
        product.sums.first[p * product.sums.plane_stride + s * kNr + n] = static_cast<int32_t>(sum);
      }
    }
  }
}

// Output (i, j) of a tile, without bias.
int32_t Restore(const Planes<const int32_t>& sums, const Strip& strip, size_t slot, int i, int j, size_t n) {
  uint32_t total = 0;
  for (int p = 0; p < strip.tile_h + 2; ++p) {
    for (int q = 0; q < strip.tile_w + 2; ++q) {
      const int plane =
          PointOf(p, strip.tile_h, sums.points) * sums.points + PointOf(q, strip.tile_w, sums.points);
      const int32_t sum =
          sums.first[static_cast<size_t>(plane) * sums.plane_stride + slot * sums.slot_stride + n];
      total +=
          OutputFactor(strip.tile_h, i, p) * OutputFactor(strip.tile_w, j, q) * static_cast<uint32_t>(sum);
    }
  }
  return static_cast<int32_t>(total * kInverseOfNine) >>
         (ShiftOf(strip.tile_h, i) + ShiftOf(strip.tile_w, j));
}

void FinishStrip(const Planes<const int32_t>& sums, const Strip& strip, const Target& target,
                 const Channels& channels, const Output& output) noexcept {
  for (size_t t = 0; t < strip.count; ++t) {
    for (int i = 0; i < strip.tile_h; ++i) {
      for (int j = 0; j < strip.tile_w; ++j) {
        const size_t y = strip.y + static_cast<size_t>(i);
        const size_t x = strip.x + t * static_cast<size_t>(strip.tile_w) + static_cast<size_t>(j);
        if (y >= target.h || x >= target.w) continue;
        int8_t* out = target.pixels + (y * target.w + x) * target.pixel_stride;
        for (int n = 0; n < target.cols; ++n) {
          const size_t c = static_cast<size_t>(n);
          out[c] =
              Requantize(Restore(sums, strip, strip.slot + t, i, j, c), channels, target.channel + c, output);
        }
      }
    }
  }
}

constexpr Row kList[] = {
    {"winograd.s8s8.f4.1x4c2.scalar", cpu::kScalar, 4, 1, kNr, 2, TransformStrip, MultiplyPlanes,
     FinishStrip},
    {"winograd.s8s8.f2.1x4c2.scalar", cpu::kScalar, 2, 1, kNr, 2, TransformStrip, MultiplyPlanes,
     FinishStrip},
};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::winograd
