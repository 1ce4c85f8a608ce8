// The lists of kernels/gemm_u8, best instruction set first.
#include "dispatch/gemm_u8.h"

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
  constexpr size_t kMostGrowth = 4;
  for (const Rows* list : Lists()) {
    for (size_t i = 0; i < list->count; ++i) {
      const kernels::gemm_u8::Row& row = list->first[i];
      const size_t nr = static_cast<size_t>(row.nr), padded = (channels + nr - 1) / nr * nr;
      if (cpu::Has(have, row.needs) && padded <= kMostGrowth * channels) return &row;
    }
  }
  return nullptr;
}

}  // namespace lowbit::dispatch::gemm_u8
