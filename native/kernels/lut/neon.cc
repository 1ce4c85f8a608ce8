// Byte maps for NEON: the table fills sixteen registers, four look-ups of 64 entries each find a byte's place.
// Reads: whole blocks of 16 bytes only; the rest goes byte by byte.
#include "kernels/lut/neon.h"

#include <arm_neon.h>

namespace lowbit::kernels::lut {
namespace {

void U8(const uint8_t* table, const uint8_t* in, uint8_t* out, size_t count) {
  size_t i = 0;
  if (count >= 16) {
    const uint8x16x4_t first = vld1q_u8_x4(table), second = vld1q_u8_x4(table + 64);
    const uint8x16x4_t third = vld1q_u8_x4(table + 128), fourth = vld1q_u8_x4(table + 192);
    const uint8x16_t step = vdupq_n_u8(64);
    for (; i + 16 <= count; i += 16) {
      uint8x16_t index = vld1q_u8(in + i);
      uint8x16_t found = vqtbl4q_u8(first, index);  // places beyond a table keep what they have
      index = vsubq_u8(index, step);
      found = vqtbx4q_u8(found, second, index);
      index = vsubq_u8(index, step);
      found = vqtbx4q_u8(found, third, index);
      index = vsubq_u8(index, step);
      vst1q_u8(out + i, vqtbx4q_u8(found, fourth, index));
    }
  }
  for (; i < count; ++i) out[i] = table[in[i]];
}

constexpr Row kList[] = {{"lut.u8.neon", cpu::kNeon, U8}};

}  // namespace

const Rows kNeon{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::lut
