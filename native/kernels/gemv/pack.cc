// Packs weights into panels, of which each is one of kernels/gemm.
#include "kernels/gemv/pack.h"

#include <algorithm>

namespace lowbit::kernels::gemv {

void PackPanels(const Row& row, const gemm::WeightView& weights, size_t channels, size_t depth,
                uint8_t* packed) {
  const size_t nr = static_cast<size_t>(row.nr), whole = channels / nr * nr;
  const auto pack = [&](size_t first, size_t count, size_t width) {
    gemm::WeightView some = weights;
    some.codes += first * weights.channel_stride;
    gemm::PackPanels(width, kDepthInterleave, 1, some, count, {1, depth},
                     packed + first * PaddedDepth(depth));
  };
  pack(0, whole, nr);
  if (whole < channels) pack(whole, channels - whole, PaddedChannels(row, channels) - whole);
}

}  // namespace lowbit::kernels::gemv
