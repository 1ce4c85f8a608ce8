// Sums of bytes along an axis for NEON: 16 columns at once, or one column along its length.
// Sums wrap modulo 2^32, as additions in any order do.
#include "kernels/sum/neon.h"

#include <arm_neon.h>

namespace lowbit::kernels::sum {
namespace {

struct Signed {
  using Code = int8_t;
  static int16x8_t Widen(const Code* from) { return vmovl_s8(vld1_s8(from)); }
};
struct Unsigned {
  using Code = uint8_t;
  static int16x8_t Widen(const Code* from) { return vreinterpretq_s16_u16(vmovl_u8(vld1_u8(from))); }
};

// Columns [c, c + 8) of all rows.
template <typename Type>
inline void Eight(const typename Type::Code* in, size_t rows, size_t cols, int32_t* sums) {
  int32x4_t low = vdupq_n_s32(0), high = low;
  for (size_t r = 0; r < rows; ++r, in += cols) {
    const int16x8_t x = Type::Widen(in);
    low = vaddw_s16(low, vget_low_s16(x));
    high = vaddw_high_s16(high, x);
  }
  vst1q_s32(sums, low);
  vst1q_s32(sums + 4, high);
}

template <typename Type>
void Sum(const void* in, size_t rows, size_t cols, int32_t* sums) {
  const auto* first = static_cast<const typename Type::Code*>(in);
  if (cols == 1) {
    int32x4_t total = vdupq_n_s32(0);
    size_t i = 0;
    for (; i + 8 <= rows; i += 8) total = vpadalq_s16(total, Type::Widen(first + i));
    uint32_t sum = static_cast<uint32_t>(vaddvq_s32(total));
    for (; i < rows; ++i) sum += static_cast<uint32_t>(int32_t{first[i]});
    sums[0] = static_cast<int32_t>(sum);
    return;
  }
  size_t c = 0;
  for (; c + 8 <= cols; c += 8) Eight<Type>(first + c, rows, cols, sums + c);
  if (c == cols) return;
  if (cols >= 8)
    return Eight<Type>(first + cols - 8, rows, cols, sums + cols - 8);  // overlaps the last block
  for (; c < cols; ++c) {
    uint32_t sum = 0;
    for (size_t r = 0; r < rows; ++r) sum += static_cast<uint32_t>(int32_t{first[r * cols + c]});
    sums[c] = static_cast<int32_t>(sum);
  }
}

constexpr Row kList[] = {
    {"sum.s8.neon", cpu::kNeon, Kind::kS8, Sum<Signed>},
    {"sum.u8.neon", cpu::kNeon, Kind::kU8, Sum<Unsigned>},
};

}  // namespace

const Rows kNeon{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::sum
