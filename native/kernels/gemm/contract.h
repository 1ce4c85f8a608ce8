// The matrix multiplication of convolutions and fully connected layers: int8 codes in, int8 codes out.
//
//   out[m][n] = requantize(sum over k of lhs[m][k] * weight[n][k], channel n)
//
// lhs rows are gathered beforehand (Widen) as int16 codes; zero points of the lhs are folded into the bias,
// those of the weights into the packed weights. All sums are modulo 2^32, as the reference's int32 sums are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"
#include "kernels/requantize/contract.h"

namespace lowbit::kernels::gemm {

struct Tile {
  const int16_t* lhs;    // rows x depth
  ptrdiff_t lhs_stride;  // elements
  const void* packed;    // one panel: nr channels as pack.h lays them
  int8_t* out;           // rows x cols
  ptrdiff_t out_stride;  // elements
  size_t channel;        // index of the panel's first channel in `Channels`, a multiple of nr
  int rows, cols;        // 1..mr, 1..nr
  int depth;             // a multiple of kr; lhs and weights are zero-filled up to it
};

using Kernel = void (*)(const Tile&, const Channels&, const Output&) noexcept;

// dst[i] = int8(src[i] ^ flip), i in [0, count)
using Widen = void (*)(const int8_t* src, size_t count, uint8_t flip, int16_t* dst) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  int mr, nr, kr;
  int weight_bytes;  // of one packed weight: 2, or 1 where all weights fit int8
  Kernel run;
  Widen widen;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::gemm
