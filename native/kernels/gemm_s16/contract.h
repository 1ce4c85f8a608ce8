// int16 activations x int8 weights -> int16, sums in 64 bits ("16x8").
#pragma once

#include <cstdint>

#include "cpu/isa.h"
#include "kernels/gemm/tile.h"

namespace lowbit::kernels::gemm_s16 {

// A product is at most 2^15 * 2^7 and a pair of them 2^23: so many pairs fit an int32 sum.
constexpr int kPairsInShortSum = 255;
constexpr int kDepthInterleave = 2;

using Block = gemm::BlockOf<int16_t, int16_t>;

// Arrays are zero-padded to whole panels. A code is clamp(rounded((acc + bias) * factor), low, high).
struct Channels {
  const int64_t* bias;
  const int32_t *multiplier, *shift;  // reduced to 16 bits, see requantize/wide.h; null when scale is given
  const double* scale;                // a real factor, rounded once, halves away from zero
  int32_t low, high;
};

using Kernel = void (*)(const Block&, const Channels&) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  int mr, nr, kr;  // weights are packed as int16 pairs, as for kernels/gemm: kr is 2
  Kernel run;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::gemm_s16
