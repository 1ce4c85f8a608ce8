// The lists of kernels/depthwise_rows, best instruction set first.
#include "dispatch/depthwise_rows.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX512VNNI
#include "kernels/depthwise_rows/avx512vnni.h"
#endif
#if LOWBIT_AVXVNNI
#include "kernels/depthwise_rows/avxvnni.h"
#endif
#if LOWBIT_AVX2
#include "kernels/depthwise_rows/avx2.h"
#endif
#if LOWBIT_NEON
#include "kernels/depthwise_rows/neon.h"
#endif

namespace lowbit::dispatch::depthwise_rows {
namespace {

using kernels::depthwise_rows::Row;
using kernels::depthwise_rows::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::depthwise_rows::kAvx512Vnni,
#endif
#if LOWBIT_AVXVNNI
    &kernels::depthwise_rows::kAvxVnni,
#endif
#if LOWBIT_AVX2
    &kernels::depthwise_rows::kAvx2,
#endif
#if LOWBIT_NEON
    &kernels::depthwise_rows::kNeon,
#endif
    nullptr,  // so that the list is never empty
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0] - 1}; }

const Row* Choose(int filter, int stride, size_t channels, const int16_t* weights, size_t count,
                  cpu::Isa have) {
  return FirstRow(Lists(), have, [&](const Row& row) {
    return row.filter == filter && row.stride == stride && channels >= row.fewest_channels &&
           row.layout->fits(weights, count);
  });
}

}  // namespace lowbit::dispatch::depthwise_rows
