// What the tests of the simple kernels share: all rows of a family that this processor runs, and scalar ones
// to compare with.
#pragma once

#include <string>

#include "base/span.h"
#include "check.h"
#include "guarded.h"
#include "rows.h"

namespace lowbit::test {

using testing::Guarded;
using testing::Random;

// Calls compare(row, scalar row of the same kind) for every row that is not scalar; `same_kind(a, b)` pairs
// them.
template <typename Rows, typename SameKind, typename Compare>
void ForPairs(Span<const Rows* const> lists, const SameKind& same_kind, const Compare& compare) {
  const Rows& scalar = *lists[lists.size - 1];
  for (const Rows* list : lists) {
    for (size_t i = 0; i < list->count; ++i) {
      const auto& row = list->first[i];
      if (row.needs == cpu::kScalar) continue;
      for (size_t k = 0; k < scalar.count; ++k) {
        if (same_kind(row, scalar.first[k]) && Runs(scalar.first[k]) && Runs(row))
          compare(row, scalar.first[k]);
      }
    }
  }
}

}  // namespace lowbit::test
