// Planes in plain C++.
#include "kernels/plane/scalar.h"

namespace lowbit::kernels::plane {
namespace {

void Run(const Plane& p, const uint8_t* a, const uint8_t* b, uint8_t* out, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const int32_t x = static_cast<int8_t>(a[i] ^ p.flip), y = static_cast<int8_t>(b[i] ^ p.flip);
    const int32_t fine = (x * p.a_low + y * p.b_low + p.rest) >> 15;
    const int32_t code = ((x * p.a_high + y * p.b_high + fine) >> p.shift) + p.whole;
    out[i] = static_cast<uint8_t>(static_cast<uint8_t>(code < p.low    ? p.low
                                                       : code > p.high ? p.high
                                                                       : code) ^
                                  p.flip);
  }
}

constexpr Row kList[] = {{"plane.b8.scalar", cpu::kScalar, Run}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::plane
