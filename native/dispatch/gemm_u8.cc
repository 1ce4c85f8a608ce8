// The lists of kernels/gemm_u8, best instruction set first.
#include "dispatch/gemm_u8.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX512VNNI
#include "kernels/gemm_u8/avx512vnni.h"
#endif
#if LOWBIT_AVXVNNI
#include "kernels/gemm_u8/avxvnni.h"
#endif

namespace lowbit::dispatch::gemm_u8 {
namespace {

using kernels::gemm_u8::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::gemm_u8::kAvx512Vnni,
#endif
#if LOWBIT_AVXVNNI
    &kernels::gemm_u8::kAvxVnni,
#endif
    nullptr,  // so that the list is never empty
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0] - 1}; }

const kernels::gemm_u8::Row* Choose(size_t channels, cpu::Isa have) {
  return FirstRow(Lists(), have,
                  [&](const kernels::gemm_u8::Row& row) { return !GrowsTooMuch(row.nr, 1, channels); });
}

}  // namespace lowbit::dispatch::gemm_u8
