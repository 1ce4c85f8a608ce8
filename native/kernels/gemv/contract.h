// One row of codes times constant weights: fully connected layers of batch 1, and convolutions of one pixel.
//
//   out[n] = requantize(sum over k of lhs[k] * weight[n][k], channel n)
//
// Each weight is used once, so the memory that weights come from sets the pace: they are bytes, read from front to
// back. A panel is as many channels as have their sums in registers; the last one is narrower (pack.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"
#include "kernels/requantize/contract.h"

namespace lowbit::kernels::gemv {

constexpr int kDepthInterleave = 4;

struct Block {
  const uint8_t* lhs;  // `depth` codes; what is multiplied is code ^ flip, int8 or (gemm_u8's way) uint8
  size_t depth;        // a multiple of 4; elements beyond the layer's own meet zero weights
  const void* packed;  // of the first channel's panel on, 64-byte aligned
  int8_t* out;
  size_t channel;  // index of the first channel in the per-channel constants, a multiple of nr
  size_t cols;     // channels
  uint8_t flip;
};

// The rounding must have the folded form.
using Kernel = void (*)(const Block&, const Channels&, const Output&) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  int nr, unit;          // channels of a panel; the last one's are a multiple of `unit`
  int32_t lhs_offset;    // 0: multiplies int8 codes; 128: code + 128
  int32_t least_weight;  // -128, or -127 where -128 would saturate
  Kernel run;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::gemv
