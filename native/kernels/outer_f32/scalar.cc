// Sums of outer products in plain C++.
#include "kernels/outer_f32/scalar.h"

namespace lowbit::kernels::outer_f32 {
namespace {

void Run(const Call& call) noexcept {
  for (size_t l = 0; l < call.lines; ++l) {
    for (size_t k = 0; k < call.depth; ++k) {
      const float* lhs =
          call.lhs + static_cast<ptrdiff_t>(l) * call.lhs_line + static_cast<ptrdiff_t>(k) * call.lhs_step;
      const float* rhs =
          call.rhs + static_cast<ptrdiff_t>(l) * call.rhs_line + static_cast<ptrdiff_t>(k) * call.rhs_step;
      for (size_t m = 0; m < call.rows; ++m) {
        float* out = call.out + static_cast<ptrdiff_t>(m) * call.out_stride;
        for (size_t n = 0; n < call.cols; ++n) out[n] += lhs[m] * rhs[n];
      }
    }
  }
}

constexpr Row kList[] = {{"outer.f32.scalar", cpu::kScalar, 1, 1, Run}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::outer_f32
