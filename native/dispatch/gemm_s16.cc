// The lists of kernels/gemm_s16, best ISA first; scalar always fits.
#include "dispatch/gemm_s16.h"

#include "dispatch/rows.h"
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

const Row& Choose(cpu::Isa have) { return *FirstRow(Lists(), have); }

}  // namespace lowbit::dispatch::gemm_s16
