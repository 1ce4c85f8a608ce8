// The piece of a matrix multiplication that a kernel computes at a time; shared by all gemm families.
#pragma once

#include <cstddef>

namespace lowbit::kernels::gemm {

template <typename Lhs, typename Out>
struct TileOf {
  const Lhs* lhs;        // rows x depth
  ptrdiff_t lhs_stride;  // elements
  const void* packed;    // one panel: nr channels as pack.h lays them
  Out* out;              // rows x cols
  ptrdiff_t out_stride;  // elements
  size_t channel;        // index of the panel's first channel in the per-channel constants, a multiple of nr
  int rows, cols;        // 1..mr, 1..nr
  int depth;             // a multiple of kr; lhs and weights are zero-filled up to it
};

}  // namespace lowbit::kernels::gemm
