// Pooling of float32 for AVX-512; the loops are in vector.h.
#include "kernels/pool/avx512vnni.h"

#include "kernels/pool/vector.h"
#include "kernels/real/avx512vnni.h"

namespace lowbit::kernels::pool {
namespace {

using real::Vector;

constexpr Row kList[] = {
    {"pool.average.f32.avx512vnni", cpu::kAvx512Vnni, Kind::kAverageF32, PoolF32<Vector, AverageOf>},
    {"pool.max.f32.avx512vnni", cpu::kAvx512Vnni, Kind::kMaxF32, PoolF32<Vector, MaxOf>},
};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::pool
