// Left-hand sides of GEMM blocks for tests: rows of some runs, one after the other, as kernels are handed them.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/gemm/tile.h"

namespace lowbit::testing {

// Runs lie `run` elements apart and rows `stride`, from `lhs` on.
template <typename Lhs>
struct LhsRows {
  std::vector<const Lhs*> rows;
  std::vector<ptrdiff_t> runs;

  LhsRows(const Lhs* lhs, size_t count, size_t stride, size_t run_count = 1, size_t run = 0) {
    for (size_t i = 0; i < count; ++i) rows.push_back(lhs + i * stride);
    for (size_t r = 0; r < run_count; ++r) runs.push_back(static_cast<ptrdiff_t>(r * run));
  }
};

template <typename Lhs, typename Out>
kernels::gemm::BlockOf<Lhs, Out> BlockOf(const LhsRows<Lhs>& lhs, int run_depth, const void* packed,
                                         size_t panel_bytes, Out* out, size_t out_stride, size_t cols,
                                         uint8_t flip = 0) {
  kernels::gemm::BlockOf<Lhs, Out> block{};
  block.lhs = lhs.rows.data();
  block.runs = lhs.runs.data();
  block.run_count = static_cast<int>(lhs.runs.size());
  block.run_depth = run_depth;
  block.packed = packed;
  block.panel_bytes = panel_bytes;
  block.out = out;
  block.out_stride = static_cast<ptrdiff_t>(out_stride);
  block.rows = lhs.rows.size();
  block.cols = cols;
  block.flip = flip;
  return block;
}

}  // namespace lowbit::testing
