// Cells of a tensor by indices that are known at run time, for gather and scatter.
#pragma once

#include "program/steps/common.h"

namespace lowbit::program::steps {

// The indexed dimensions.
struct Cells {
  int rank = 0;
  size_t dims[kMaxRank];
  size_t count = 1;  // product of dims

  // The number of the cell, row-major; false where an index lies outside.
  template <typename Index>
  bool Find(const Index* index, size_t* cell) const noexcept {
    *cell = 0;
    for (int d = 0; d < rank; ++d) {
      const Index at = index[d];  // read once: a wrong program may let an output overlap the indices
      if (at < 0 || static_cast<uint64_t>(at) >= dims[d]) return false;
      *cell = *cell * dims[d] + static_cast<size_t>(at);
    }
    return true;
  }
};

// A product of extents below 2^31; it stops growing beyond 2^32, which no tensor has.
struct Product {
  uint64_t value = 1;
  bool Times(int factor) {
    if (value > uint64_t{1} << 32 || factor < 0) return false;
    value *= static_cast<uint64_t>(factor);
    return true;
  }
  bool Times(const Cells& cells) {
    bool fits = true;
    for (int i = 0; fits && i < cells.rank; ++i) fits = Times(static_cast<int>(cells.dims[i]));
    return fits;
  }
};

// Attributes rank and dims.
inline Status LoadCells(const StepArgs& args, Cells* cells) {
  LOWBIT_RETURN_IF_ERROR(args.Int("rank", 0, kMaxRank, &cells->rank));
  Span<const int32_t> dims;
  LOWBIT_RETURN_IF_ERROR(args.Ints("dims", static_cast<size_t>(cells->rank), &dims));
  Product count;
  for (int i = 0; i < cells->rank; ++i) {
    if (!count.Times(dims[i])) return args.Fail(Code::kShapeMismatch, "extents that no tensor has");
    cells->dims[i] = static_cast<size_t>(dims[i]);
  }
  cells->count = static_cast<size_t>(count.value);
  return Status();
}

}  // namespace lowbit::program::steps
