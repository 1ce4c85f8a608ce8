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

using Block = gemm::BlockOf<uint8_t, int8_t>;
using HybridBlock = gemm::BlockOf<uint8_t, float>;

using Kernel = void (*)(const Block&, const Channels&, const Output&) noexcept;
using HybridKernel = void (*)(const HybridBlock&, const gemm::HybridChannels&,
                              const gemm::HybridRows&) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  int mr, nr, kr;
  Kernel run;
  HybridKernel run_hybrid;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::gemm_u8
