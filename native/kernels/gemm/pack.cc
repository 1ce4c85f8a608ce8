// Packs weights into panels.
#include "kernels/gemm/pack.h"

namespace lowbit::kernels::gemm {

namespace {
template <typename T>
void Fill(const Row& row, const WeightView& weights, size_t channels, size_t depth, T* out) {
  const size_t nr = static_cast<size_t>(row.nr), kr = static_cast<size_t>(row.kr);
  const size_t padded = PaddedDepth(row, depth);
  for (size_t n = 0; n < channels; ++n) {
    T* panel = out + n / nr * nr * padded + n % nr * kr;
    for (size_t k = 0; k < depth; ++k) panel[k / kr * nr * kr + k % kr] = static_cast<T>(weights.At(n, k));
  }
}
}  // namespace

void Pack(const Row& row, const WeightView& weights, size_t channels, size_t depth, uint8_t* packed) {
  if (row.weight_bytes == 1) {
    Fill(row, weights, channels, depth, reinterpret_cast<int8_t*>(packed));
  } else {
    Fill(row, weights, channels, depth, reinterpret_cast<int16_t*>(packed));
  }
}

}  // namespace lowbit::kernels::gemm
