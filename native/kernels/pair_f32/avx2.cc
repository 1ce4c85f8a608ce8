// Operations on two float32 operands for AVX2; the loops are in vector.h.
#include "kernels/pair_f32/avx2.h"

#include "kernels/pair_f32/vector.h"
#include "kernels/real/avx2.h"

namespace lowbit::kernels::pair_f32 {
namespace {

using real::Vector;

constexpr Row kList[] = {
    {"add.f32.avx2", cpu::kAvx2, Operation::kAdd, Pair<Operation::kAdd, Vector>},
    {"sub.f32.avx2", cpu::kAvx2, Operation::kSub, Pair<Operation::kSub, Vector>},
    {"mul.f32.avx2", cpu::kAvx2, Operation::kMul, Pair<Operation::kMul, Vector>},
    {"maximum.f32.avx2", cpu::kAvx2, Operation::kMaximum, Pair<Operation::kMaximum, Vector>},
    {"minimum.f32.avx2", cpu::kAvx2, Operation::kMinimum, Pair<Operation::kMinimum, Vector>},
    {"div.f32.avx2", cpu::kAvx2, Operation::kDiv, Pair<Operation::kDiv, Vector>},
    {"squared_difference.f32.avx2", cpu::kAvx2, Operation::kSquaredDifference,
     Pair<Operation::kSquaredDifference, Vector>},
    {"prelu.f32.avx2", cpu::kAvx2, Operation::kPrelu, Pair<Operation::kPrelu, Vector>},
    {"maximum_or_nan.f32.avx2", cpu::kAvx2, Operation::kMaximumOrNan, Pair<Operation::kMaximumOrNan, Vector>},
    {"minimum_or_nan.f32.avx2", cpu::kAvx2, Operation::kMinimumOrNan, Pair<Operation::kMinimumOrNan, Vector>},
};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::pair_f32
