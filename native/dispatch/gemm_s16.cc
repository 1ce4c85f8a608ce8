// The lists of kernels/gemm_s16, best ISA first; scalar always fits.
#include "dispatch/gemm_s16.h"

#include "kernels/gemm_s16/scalar.h"

namespace lowbit::dispatch::gemm_s16 {
namespace {

using kernels::gemm_s16::Row;
using kernels::gemm_s16::Rows;

const Rows* const kLists[] = {
    &kernels::gemm_s16::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(cpu::Isa have) {
  for (const Rows* list : Lists()) {
    for (size_t i = 0; i < list->count; ++i) {
      if (cpu::Has(have, list->first[i].needs)) return list->first[i];
    }
  }
  return kernels::gemm_s16::kScalar.first[0];
}

}  // namespace lowbit::dispatch::gemm_s16
