// Sums and scaling of columns for AVX-512; the loops are in vector.h.
#include "kernels/columns_f32/avx512vnni.h"

#include "kernels/columns_f32/vector.h"
#include "kernels/real/avx512vnni.h"

namespace lowbit::kernels::columns_f32 {
namespace {

using real::Vector;

constexpr Row kList[] = {
    {"columns.f32.avx512vnni", cpu::kAvx512Vnni, SumOf<Vector>, ProductOf<Vector>, ScaleAll<Vector>}};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::columns_f32
