// Functions of float32 for AVX-512; the arithmetic is in vector.h and kernels/real.
#include "kernels/map_f32/avx512vnni.h"

#include "kernels/map_f32/vector.h"
#include "kernels/real/avx512vnni.h"

namespace lowbit::kernels::map_f32 {
namespace {

using real::Vector;

constexpr Row kList[] = {
    {"relu.f32.avx512vnni", cpu::kAvx512Vnni, Function::kRelu, Map<Function::kRelu, Vector>},
    {"relu6.f32.avx512vnni", cpu::kAvx512Vnni, Function::kRelu6, Map<Function::kRelu6, Vector>},
    {"relu_n1_to_1.f32.avx512vnni", cpu::kAvx512Vnni, Function::kReluN1To1,
     Map<Function::kReluN1To1, Vector>},
    {"relu_0_to_1.f32.avx512vnni", cpu::kAvx512Vnni, Function::kRelu0To1, Map<Function::kRelu0To1, Vector>},
    {"leaky_relu.f32.avx512vnni", cpu::kAvx512Vnni, Function::kLeakyRelu, Map<Function::kLeakyRelu, Vector>},
    {"hard_swish.f32.avx512vnni", cpu::kAvx512Vnni, Function::kHardSwish, Map<Function::kHardSwish, Vector>},
    {"abs.f32.avx512vnni", cpu::kAvx512Vnni, Function::kAbs, Map<Function::kAbs, Vector>},
    {"negate.f32.avx512vnni", cpu::kAvx512Vnni, Function::kNegate, Map<Function::kNegate, Vector>},
    {"square.f32.avx512vnni", cpu::kAvx512Vnni, Function::kSquare, Map<Function::kSquare, Vector>},
    {"ceil.f32.avx512vnni", cpu::kAvx512Vnni, Function::kCeil, Map<Function::kCeil, Vector>},
    {"floor.f32.avx512vnni", cpu::kAvx512Vnni, Function::kFloor, Map<Function::kFloor, Vector>},
    {"sqrt.f32.avx512vnni", cpu::kAvx512Vnni, Function::kSqrt, Map<Function::kSqrt, Vector>},
    {"rsqrt.f32.avx512vnni", cpu::kAvx512Vnni, Function::kRsqrt, Map<Function::kRsqrt, Vector>},
    {"logistic.f32.avx512vnni", cpu::kAvx512Vnni, Function::kLogistic, Map<Function::kLogistic, Vector>},
    {"tanh.f32.avx512vnni", cpu::kAvx512Vnni, Function::kTanh, Map<Function::kTanh, Vector>},
    {"exp.f32.avx512vnni", cpu::kAvx512Vnni, Function::kExp, Map<Function::kExp, Vector>},
    {"gelu_tanh.f32.avx512vnni", cpu::kAvx512Vnni, Function::kGeluTanh, Map<Function::kGeluTanh, Vector>},
};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::map_f32
