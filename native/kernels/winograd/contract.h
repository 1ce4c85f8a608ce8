// 3x3 convolutions with stride 1 by Winograd's minimal filtering, F(4,3) and F(2,3), in exact integers.
//
//   input --transform--> planes --multiply by packed weights, plane by plane--> sums --finish--> codes
//
// A tile of 4x4 outputs needs 36 products a channel instead of 144, one of 2x2 needs 16 instead of 36. In each
// direction a tile has tile + 2 points; points of short tiles are a part of those of long ones, so that the
// short tiles at the lower and right edge share the packed weights. All is linear and modulo 2^32 up to the
// last division: docs/winograd.md has the proof, pack.h the condition on the weights.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"
#include "kernels/requantize/contract.h"

namespace lowbit::kernels::winograd {

constexpr int kMostPlanes = 36;
constexpr uint32_t kInverseOfNine = 0x38E38E39;  // modulo 2^32

// Points of a direction are numbered 0 .. points - 1; a tile of 2 in a direction with 6 has 0 1 2 5.
constexpr int PointOf(int i, int tile, int points) { return i < 3 || tile > 2 ? i : points - 1; }

// One image of the input. Codes enter as they are; zero points are folded into the bias.
struct Image {
  const int8_t* pixels;
  size_t h, w, channels;
  const int8_t* padding;  // a pixel that stands for all outside
  int pad_top, pad_left;
  uint8_t flip;
};

// Neighbouring tiles of one row of tiles, all of one size.
struct Strip {
  size_t y, x;  // of the first tile's first output
  int tile_h, tile_w;
  size_t count;
  size_t slot;  // of the first tile; the others follow
};

// [points * points][slots][channels]: a slot is a tile's row in the products.
template <typename T>
struct Planes {
  T* first;
  size_t plane_stride, slot_stride;  // elements
  int points;                        // in each direction
};

// Fills the planes of a strip's tiles; channels beyond the image's up to slot_stride are undefined but for
// that which makes an odd number even, where weights are zero.
using Transform = void (*)(const Image&, const Strip&, const Planes<int16_t>&) noexcept;

struct Range {
  size_t first, count;
};

// sums[plane][slot][n] = sum over channels of input[plane][slot][c] * weight[plane][n][c], modulo 2^32.
struct Product {
  Planes<const int16_t> input;
  Planes<int32_t> sums;   // slot_stride is nr
  const int16_t* packed;  // one panel: [plane][channels / 2][nr][2]
  const Range* slots;     // of each plane
  size_t channels;        // even
};
using Multiply = void (*)(const Product&) noexcept;

// Where the outputs of a panel go.
struct Target {
  int8_t* pixels;             // of one image, at the panel's first channel
  size_t h, w, pixel_stride;  // tiles may reach beyond h and w
  size_t channel;             // the panel's first, in the per-channel constants
  int cols;                   // 1 .. nr
};
using Finish = void (*)(const Planes<const int32_t>&, const Strip&, const Target&, const Channels&,
                        const Output&) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  int tile;  // 4 or 2
  int mr, nr;
  int lanes;  // slot_stride of the input's planes is a multiple of it
  Transform transform;
  Multiply multiply;
  Finish finish;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::winograd
