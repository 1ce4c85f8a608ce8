// The matrix multiplication of kernels/gemm for processors that multiply unsigned by signed bytes and add
// four products at once (VNNI): lhs rows are gathered as code + 128, weights are int8 in groups of four.
//
// The 128 is a shift of the lhs' zero point, so it is folded into the bias like the zero point itself.
// Weights must lie in [-128, 127]; other layers take kernels/gemm.
#pragma once

#include "cpu/isa.h"
#include "kernels/gemm/contract.h"

namespace lowbit::kernels::gemm_u8 {

constexpr int kLhsOffset = 128;
constexpr int kDepthInterleave = 4;

using Tile = gemm::TileOf<uint8_t, int8_t>;
using HybridTile = gemm::TileOf<uint8_t, float>;

using Kernel = void (*)(const Tile&, const Channels&, const Output&) noexcept;
using HybridKernel = void (*)(const HybridTile&, const gemm::HybridChannels&,
                              const gemm::HybridRows&) noexcept;

// dst[i] = src[i] ^ mask: code + 128 of an int8 tensor with mask 0x80, of a uint8 tensor with mask 0.
using Copy = void (*)(const int8_t* src, size_t count, uint8_t mask, uint8_t* dst) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  int mr, nr, kr;
  Kernel run;
  HybridKernel run_hybrid;
  Copy copy;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::gemm_u8
