// Sums of bytes along an axis, one byte at a time.
#include "kernels/sum/scalar.h"

namespace lowbit::kernels::sum {
namespace {

template <typename T>
void Sum(const void* in, size_t rows, size_t cols, int32_t* sums) {
  const T* row = static_cast<const T*>(in);
  for (size_t c = 0; c < cols; ++c) sums[c] = 0;
  for (size_t r = 0; r < rows; ++r, row += cols) {
    for (size_t c = 0; c < cols; ++c) {
      sums[c] = static_cast<int32_t>(static_cast<uint32_t>(sums[c]) + static_cast<uint32_t>(int32_t{row[c]}));
    }
  }
}

constexpr Row kList[] = {
    {"sum.s8.scalar", cpu::kScalar, Kind::kS8, Sum<int8_t>},
    {"sum.u8.scalar", cpu::kScalar, Kind::kU8, Sum<uint8_t>},
};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::sum
