// The gradients, one element at a time.
#include "kernels/gradient_f32/scalar.h"

#include <math.h>

namespace lowbit::kernels::gradient_f32 {
namespace {

void ClampOf(const float* x, const float* dy, float* dx, size_t count, float low, float high) {
  for (size_t i = 0; i < count; ++i) dx[i] = low < x[i] && x[i] <= high ? dy[i] : 0.0f;
}

void MaxPoolOf(const Window& w) {
  const auto place = [&](int r, int c) { return r * w.row_stride + c * static_cast<ptrdiff_t>(w.channels); };
  for (size_t channel = 0; channel < w.channels; ++channel) {
    ptrdiff_t best = -1;
    float most = -HUGE_VALF;
    for (int r = 0; r < w.rows; ++r) {
      for (int c = 0; c < w.cols; ++c) {
        const float x = w.x[place(r, c) + static_cast<ptrdiff_t>(channel)];
        if (x > most) most = x, best = place(r, c);
      }
    }
    for (int r = 0; r < w.rows; ++r) {
      for (int c = 0; c < w.cols; ++c) {
        float& to = w.dx[place(r, c) + static_cast<ptrdiff_t>(channel)];
        const float part = place(r, c) == best ? w.dy[channel] : 0.0f;
        to = w.adds ? to + part : part;
      }
    }
  }
}

constexpr Row kList[] = {
    {"clamp_gradient.f32.scalar", "max_pool_gradient.f32.scalar", cpu::kScalar, ClampOf, MaxPoolOf}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gradient_f32
