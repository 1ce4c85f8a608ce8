// The steps of optimisers, one element at a time.
#include "kernels/update_f32/scalar.h"

#include <math.h>

namespace lowbit::kernels::update_f32 {
namespace {

void Sgd(const Arrays& a, size_t count, const float* n) {
  for (size_t i = 0; i < count; ++i) a.new_w[i] = n[0] * a.g[i] + a.w[i];
}

void Momentum(const Arrays& a, size_t count, const float* n) {
  for (size_t i = 0; i < count; ++i) {
    a.new_m[i] = n[1] * a.m[i] + a.g[i];
    a.new_w[i] = n[0] * a.new_m[i] + a.w[i];
  }
}

void Nesterov(const Arrays& a, size_t count, const float* n) {
  for (size_t i = 0; i < count; ++i) {
    a.new_m[i] = n[1] * a.m[i] + a.g[i];
    a.new_w[i] = n[0] * (a.g[i] + a.new_m[i] * n[1]) + a.w[i];
  }
}

void Adam(const Arrays& a, size_t count, const float* n) {
  for (size_t i = 0; i < count; ++i) {
    const float g = a.g[i];
    const float m = a.m[i] * n[1] + g * n[2], v = a.v[i] * n[4] + g * g * n[5];
    a.new_m[i] = m;
    a.new_v[i] = v;
    a.new_w[i] = m / n[3] / (sqrtf(v / n[6]) + n[7]) * n[0] + a.w[i];
  }
}

constexpr Row kList[] = {
    {"sgd.f32.scalar", cpu::kScalar, Method::kSgd, Sgd},
    {"momentum.f32.scalar", cpu::kScalar, Method::kMomentum, Momentum},
    {"nesterov.f32.scalar", cpu::kScalar, Method::kNesterov, Nesterov},
    {"adam.f32.scalar", cpu::kScalar, Method::kAdam, Adam},
};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::update_f32
