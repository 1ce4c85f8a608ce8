// Operations on two float32 operands for AVX-512; the loops are in vector.h.
#include "kernels/pair_f32/avx512vnni.h"

#include "kernels/pair_f32/vector.h"
#include "kernels/real/avx512vnni.h"

namespace lowbit::kernels::pair_f32 {
namespace {

using real::Vector;

constexpr Row kList[] = {
    {"add.f32.avx512vnni", cpu::kAvx512Vnni, Operation::kAdd, Pair<Operation::kAdd, Vector>},
    {"sub.f32.avx512vnni", cpu::kAvx512Vnni, Operation::kSub, Pair<Operation::kSub, Vector>},
    {"mul.f32.avx512vnni", cpu::kAvx512Vnni, Operation::kMul, Pair<Operation::kMul, Vector>},
    {"maximum.f32.avx512vnni", cpu::kAvx512Vnni, Operation::kMaximum, Pair<Operation::kMaximum, Vector>},
    {"minimum.f32.avx512vnni", cpu::kAvx512Vnni, Operation::kMinimum, Pair<Operation::kMinimum, Vector>},
    {"div.f32.avx512vnni", cpu::kAvx512Vnni, Operation::kDiv, Pair<Operation::kDiv, Vector>},
    {"squared_difference.f32.avx512vnni", cpu::kAvx512Vnni, Operation::kSquaredDifference,
     Pair<Operation::kSquaredDifference, Vector>},
    {"prelu.f32.avx512vnni", cpu::kAvx512Vnni, Operation::kPrelu, Pair<Operation::kPrelu, Vector>},
    {"maximum_or_nan.f32.avx512vnni", cpu::kAvx512Vnni, Operation::kMaximumOrNan,
     Pair<Operation::kMaximumOrNan, Vector>},
    {"minimum_or_nan.f32.avx512vnni", cpu::kAvx512Vnni, Operation::kMinimumOrNan,
     Pair<Operation::kMinimumOrNan, Vector>},
};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::pair_f32
