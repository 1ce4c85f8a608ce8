// Matrices of float32 in strips of columns that vectors run down, for kernels that keep something of each column in
// registers. V: a vector of avx2.h or avx512vnni.h.
#pragma once

#include <stddef.h>

namespace lowbit::kernels::real {
namespace {

// N vectors side by side, the last of them `lanes` wide.
template <typename V, int N>
struct Strip {
  using F = typename V::F;
  size_t lanes;

  F Load(const float* p, int i) const {
    p += static_cast<size_t>(i) * V::kWidth;
    return i == N - 1 && lanes < V::kWidth ? V::LoadFirst(p, lanes) : V::Load(p);
  }
  void Store(float* p, int i, F x) const {
    p += static_cast<size_t>(i) * V::kWidth;
    if (i == N - 1 && lanes < V::kWidth) {
      V::StoreFirst(p, lanes, x);
    } else {
      V::Store(p, x);
    }
  }
  void Add(float* p, const F (&more)[N]) const {
    for (int i = 0; i < N; ++i) Store(p, i, V::Add(Load(p, i), more[i]));
  }
};

// Calls work(strip, first column) for strips of at most four vectors.
template <typename V, typename Work>
inline void Strips(size_t cols, const Work& work) {
  size_t c = 0;
  for (; c + 4 * V::kWidth <= cols; c += 4 * V::kWidth) work(Strip<V, 4>{V::kWidth}, c);
  for (; c + 2 * V::kWidth <= cols; c += 2 * V::kWidth) work(Strip<V, 2>{V::kWidth}, c);
  for (; c < cols; c += V::kWidth) work(Strip<V, 1>{cols - c < V::kWidth ? cols - c : V::kWidth}, c);
}

}  // namespace
}  // namespace lowbit::kernels::real
