// The one list of GEMM kernels, best instruction set first.
#include "dispatch/gemm.h"

#include "dispatch/rows.h"
#include "kernels/gemm/scalar.h"
#if LOWBIT_AVX2
#include "kernels/gemm/avx2.h"
#endif
#if LOWBIT_NEON
#include "kernels/gemm/neon.h"
#endif

namespace lowbit::dispatch::gemm {

using kernels::gemm::Row;
using kernels::gemm::Rows;

static const Rows* const kLists[] = {
#if LOWBIT_AVX2
    &kernels::gemm::kAvx2,
#endif
#if LOWBIT_NEON
    &kernels::gemm::kNeon,
#endif
    &kernels::gemm::kScalar,
};

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

// Weights as int8 halve the memory traffic and cost a widening a load: they win where few rows share a panel,
// or where all panels together overflow a core's second-level cache.
static bool PrefersNarrowWeights(const Shape& shape) {
  constexpr size_t kFewRows = 32, kCache = 768 * 1024;
  return shape.rows <= kFewRows || shape.channels * shape.depth * sizeof(int16_t) > kCache;
}

const Row& Choose(const Shape& shape, cpu::Isa have) {
  const bool narrow = shape.weights_fit_int8 && PrefersNarrowWeights(shape);
  for (const Rows* list : kLists) {
    const Row* best = nullptr;
    size_t least = 0;
    for (size_t i = 0; i < list->count; ++i) {
      const Row& row = list->first[i];
      if (!cpu::Has(have, row.needs)) continue;
      if (row.weight_bytes == 1 && !shape.weights_fit_int8) continue;
      if (GrowsTooMuch(row.nr, static_cast<size_t>(row.weight_bytes), shape.channels)) continue;
      // Weights of the other width are taken only where none of the wanted one is left.
      const size_t cost = PanelCost(row.nr, list->first[0].nr, shape.channels) *
                          ((row.weight_bytes == 1) == narrow ? 1 : 1000);
      if (!best || cost < least) {
        best = &row;
        least = cost;
      }
    }
    if (best) return *best;
  }
  return kernels::gemm::kScalar.first[0];
}

}  // namespace lowbit::dispatch::gemm
