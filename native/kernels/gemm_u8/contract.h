// The matrix multiplication of kernels/gemm for processors that multiply bytes and add the products at once: weights
// are int8 in groups of kr, and a row's kernel says what it multiplies with them, int8 codes (ARM) or code + 128 as
// unsigned bytes (VNNI).
//
// The 128 is a shift of the lhs' zero point, so it is folded into the bias like the zero point itself.
// Layers with weights outside [least_weight, 127] take kernels/gemm.
#pragma once

#include "cpu/isa.h"
#include "kernels/gemm/contract.h"

namespace lowbit::kernels::gemm_u8 {

using Block = gemm::BlockOf<uint8_t, int8_t>;
using HybridBlock = gemm::BlockOf<uint8_t, float>;

using Kernel = void (*)(const Block&, const Channels&, const Output&) noexcept;
using HybridKernel = void (*)(const HybridBlock&, const gemm::HybridChannels&,
                              const gemm::HybridRows&) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  int mr, nr, kr;
  int32_t lhs_offset;    // 0: multiplies int8(element ^ flip); 128: uint8(element ^ flip)
  int32_t least_weight;  // -128, or -127 where -128 would overflow
  Kernel run;
  HybridKernel run_hybrid;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::gemm_u8
