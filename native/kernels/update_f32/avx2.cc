// The steps of optimisers for AVX2; the loops are in vector.h.
#include "kernels/update_f32/avx2.h"

#include "kernels/real/avx2.h"
#include "kernels/update_f32/vector.h"

namespace lowbit::kernels::update_f32 {
namespace {

using real::Vector;

constexpr Row kList[] = {
    {"sgd.f32.avx2", cpu::kAvx2, Method::kSgd, UpdateAll<Method::kSgd, Vector>},
    {"momentum.f32.avx2", cpu::kAvx2, Method::kMomentum, UpdateAll<Method::kMomentum, Vector>},
    {"nesterov.f32.avx2", cpu::kAvx2, Method::kNesterov, UpdateAll<Method::kNesterov, Vector>},
    {"adam.f32.avx2", cpu::kAvx2, Method::kAdam, UpdateAll<Method::kAdam, Vector>},
};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::update_f32
