// Pooling of float32 over whole vectors of channels, for inclusion by the files of instruction sets after their vector
// (kernels/real). Each lane is what the scalar kernel does with its channel, bit for bit, NaN included: the minimum and
// maximum of these vectors are (a < b ? a : b) and (a > b ? a : b).
#pragma once

#include "kernels/pool/contract.h"

namespace lowbit::kernels::pool {
namespace {

template <typename V>
struct MaxOf {
  using F = typename V::F;
  F low, high;

  explicit MaxOf(const Window&, const Limits& limits)
      : low(V::Set(limits.float_low)), high(V::Set(limits.float_high)) {}
  F First() const { return low; }
  F Next(F best, F x) const { return V::Max(x, best); }
  F Last(F best) const { return V::Min(best, high); }
};

// Sums run in the order of the taps.
template <typename V>
struct AverageOf {
  using F = typename V::F;
  F count, low, high;

  explicit AverageOf(const Window& window, const Limits& limits)
      : count(V::Set(static_cast<float>(int64_t{window.rows} * window.cols))),
        low(V::Set(limits.float_low)),
        high(V::Set(limits.float_high)) {}
  F First() const { return V::Set(0.0f); }
  F Next(F sum, F x) const { return V::Add(sum, x); }
  F Last(F sum) const { return V::Min(high, V::Max(low, V::Div(sum, count))); }
};

// The fold of some channels over the window, by what loads them.
template <typename V, typename Fold, typename Load>
inline typename V::F Channels(const Window& window, const float* first, const Fold& fold, const Load& load) {
  typename V::F value = fold.First();
  for (int y = 0; y < window.rows; ++y) {
    const float* tap = first + y * window.row_stride;
    for (int x = 0; x < window.cols; ++x, tap += window.channels) value = fold.Next(value, load(tap));
  }
  return fold.Last(value);
}

template <typename V, template <typename> typename Fold>
void PoolF32(const Window& window, const Limits& limits, void* out) {
  const Fold<V> fold(window, limits);
  const float* first = static_cast<const float*>(window.first);
  float* to = static_cast<float*>(out);
  size_t left = static_cast<size_t>(window.channels);
  for (; left >= V::kWidth; left -= V::kWidth, first += V::kWidth, to += V::kWidth)
    V::Store(to, Channels<V>(window, first, fold, V::Load));
  if (left)
    V::StoreFirst(to, left,
                  Channels<V>(window, first, fold, [left](const float* p) { return V::LoadFirst(p, left); }));
}

}  // namespace
}  // namespace lowbit::kernels::pool
