// The steps of optimisers for AVX-512; the loops are in vector.h.
#include "kernels/update_f32/avx512vnni.h"

#include "kernels/real/avx512vnni.h"
#include "kernels/update_f32/vector.h"

namespace lowbit::kernels::update_f32 {
namespace {

using real::Vector;

constexpr Row kList[] = {
    {"sgd.f32.avx512vnni", cpu::kAvx512Vnni, Method::kSgd, UpdateAll<Method::kSgd, Vector>},
    {"momentum.f32.avx512vnni", cpu::kAvx512Vnni, Method::kMomentum, UpdateAll<Method::kMomentum, Vector>},
    {"nesterov.f32.avx512vnni", cpu::kAvx512Vnni, Method::kNesterov, UpdateAll<Method::kNesterov, Vector>},
    {"adam.f32.avx512vnni", cpu::kAvx512Vnni, Method::kAdam, UpdateAll<Method::kAdam, Vector>},
};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::update_f32
