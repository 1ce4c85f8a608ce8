// The piece of a matrix multiplication that a kernel computes in one call; shared by all gemm families.
//
// A row of the left-hand side is a few runs of consecutive elements: one for a matrix, one a line of the filter
// for a convolution that reads its input where it lies. So nothing is copied only to lie in a row.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lowbit::kernels::gemm {

template <typename Lhs, typename Out>
struct BlockOf {
  const Lhs* const* lhs;  // where each row begins
  const ptrdiff_t* runs;  // where each run begins, elements from the beginning of its row
  int run_count;          // >= 0
  int run_depth;       // elements of a run, a multiple of kr; those beyond the layer's own meet zero weights
  const void* packed;  // panels of nr channels as pack.h lays them, one after the other
  size_t panel_bytes;
  Out* out;              // rows x cols
  ptrdiff_t out_stride;  // elements from row to row
  size_t channel;        // index of the first channel in the per-channel constants, a multiple of nr
  size_t rows, cols;     // any number of rows; all panels but the last are whole
  uint8_t flip;          // bytes: what is multiplied is element ^ flip
};

}  // namespace lowbit::kernels::gemm
