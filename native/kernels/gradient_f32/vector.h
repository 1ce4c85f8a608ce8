// The gradients over whole vectors, for inclusion by the files of instruction sets after their vector (kernels/real).
#pragma once

#include <math.h>

#include "kernels/gradient_f32/contract.h"

namespace lowbit::kernels::gradient_f32 {
namespace {

template <typename V>
inline typename V::F Between(typename V::F low, typename V::F x, typename V::F high, typename V::F dy) {
  const typename V::F zero = V::Set(0.0f);
  return V::Select(V::Less(low, x), V::Select(V::AtLeast(high, x), dy, zero), zero);
}

template <typename V>
void ClampOf(const float* x, const float* dy, float* dx, size_t count, float low, float high) {
  const typename V::F least = V::Set(low), most = V::Set(high);
  size_t i = 0;
  for (; i + V::kWidth <= count; i += V::kWidth)
    V::Store(dx + i, Between<V>(least, V::Load(x + i), most, V::Load(dy + i)));
  if (const size_t left = count - i)
    V::StoreFirst(dx + i, left,
                  Between<V>(least, V::LoadFirst(x + i, left), most, V::LoadFirst(dy + i, left)));
}

// Some channels of a window, by what loads and stores them.
template <typename V, typename Load, typename Store>
inline void Channels(const Window& w, const Load& load, const Store& store) {
  using F = typename V::F;
  F best = V::Set(-HUGE_VALF), at = V::Set(-1.0f);
  int tap = 0;
  for (int r = 0; r < w.rows; ++r) {
    for (int c = 0; c < w.cols; ++c, ++tap) {
      const F x = load(w.x + r * w.row_stride + c * static_cast<ptrdiff_t>(w.channels));
      const auto larger = V::Less(best, x);
      best = V::Select(larger, x, best);
      at = V::Select(larger, V::Set(static_cast<float>(tap)), at);
    }
  }
  const F dy = load(w.dy), zero = V::Set(0.0f);
  tap = 0;
  for (int r = 0; r < w.rows; ++r) {
    for (int c = 0; c < w.cols; ++c, ++tap) {
      float* const to = w.dx + r * w.row_stride + c * static_cast<ptrdiff_t>(w.channels);
      const F here = V::Set(static_cast<float>(tap));
      const F part = V::Select(V::AtLeast(at, here), V::Select(V::AtLeast(here, at), dy, zero), zero);
      store(to, w.adds ? V::Add(load(to), part) : part);
    }
  }
}

template <typename V>
void MaxPoolOf(const Window& w) {
  size_t c = 0;
  for (; c + V::kWidth <= w.channels; c += V::kWidth)
    Channels<V>(
        w, [c](const float* p) { return V::Load(p + c); },
        [c](float* p, typename V::F x) { V::Store(p + c, x); });
  if (const size_t left = w.channels - c)
    Channels<V>(
        w, [c, left](const float* p) { return V::LoadFirst(p + c, left); },
        [c, left](float* p, typename V::F x) { V::StoreFirst(p + c, left, x); });
}

}  // namespace
}  // namespace lowbit::kernels::gradient_f32
