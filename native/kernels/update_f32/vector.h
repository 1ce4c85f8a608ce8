// The steps of optimisers over whole vectors, for inclusion by the files of instruction sets after their vector
// (kernels/real).
#pragma once

#include "kernels/update_f32/contract.h"

namespace lowbit::kernels::update_f32 {
namespace {

// Loads and stores at one place of all arrays: a whole vector, or its first lanes.
template <typename V>
struct Whole {
  size_t at;
  typename V::F Load(const float* p) const { return V::Load(p + at); }
  void Store(float* p, typename V::F x) const { V::Store(p + at, x); }
};
template <typename V>
struct First {
  size_t at, lanes;
  typename V::F Load(const float* p) const { return V::LoadFirst(p + at, lanes); }
  void Store(float* p, typename V::F x) const { V::StoreFirst(p + at, lanes, x); }
};

template <Method method, typename V, typename Place>
inline void Update(const Arrays& a, const typename V::F* n, const Place& place) {
  using F = typename V::F;
  const F w = place.Load(a.w), g = place.Load(a.g);
  F step;
  if constexpr (method == Method::kSgd) {
    step = V::Mul(n[0], g);
  } else if constexpr (method == Method::kAdam) {
    const F m = V::Add(V::Mul(place.Load(a.m), n[1]), V::Mul(g, n[2]));
    const F v = V::Add(V::Mul(place.Load(a.v), n[4]), V::Mul(V::Mul(g, g), n[5]));
    place.Store(a.new_m, m);
    place.Store(a.new_v, v);
    step = V::Mul(V::Div(V::Div(m, n[3]), V::Add(V::Sqrt(V::Div(v, n[6])), n[7])), n[0]);
  } else {
    const F m = V::Add(V::Mul(n[1], place.Load(a.m)), g);
    place.Store(a.new_m, m);
    step = V::Mul(n[0], method == Method::kNesterov ? V::Add(g, V::Mul(m, n[1])) : m);
  }
  place.Store(a.new_w, V::Add(step, w));
}

template <Method method, typename V>
void UpdateAll(const Arrays& arrays, size_t count, const float* numbers) {
  typename V::F n[kMostNumbers];
  for (int i = 0; i < NumbersOf(method); ++i) n[i] = V::Set(numbers[i]);
  size_t i = 0;
  for (; i + V::kWidth <= count; i += V::kWidth) Update<method, V>(arrays, n, Whole<V>{i});
  if (const size_t left = count - i) Update<method, V>(arrays, n, First<V>{i, left});
}

}  // namespace
}  // namespace lowbit::kernels::update_f32
