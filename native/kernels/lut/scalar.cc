// Byte maps, one byte at a time.
#include "kernels/lut/scalar.h"

namespace lowbit::kernels::lut {
namespace {

void U8(const uint8_t* table, const uint8_t* in, uint8_t* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = table[in[i]];
}

constexpr Row kList[] = {{"lut.u8.scalar", cpu::kScalar, U8}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::lut
