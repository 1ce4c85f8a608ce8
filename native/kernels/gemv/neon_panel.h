// What the NEON kernels share: panels of 8 * kWide channels and how their sums become codes. For inclusion by kernel
// files built with NEON or more; everything is in an unnamed namespace.
//
// A kernel is a `Sum`, the sums of eight channels: Add(lhs, weights) adds the products of four depths, which `lhs` holds
// four times, with eight channels' weights; Low() and High() are the sums of four channels.
#pragma once

#include <arm_neon.h>
#include <string.h>

#include "kernels/gemm/rows.h"
#include "kernels/gemv/contract.h"
#include "kernels/requantize/neon.h"

namespace lowbit::kernels::gemv {
namespace {

template <typename Sum, int kWide, Ending kEnding>
LOWBIT_NOINLINE void RunPanel(const Block& block, const int8_t* weights, size_t c, const Channels& channels,
                              const ByteClamp& clamp) {
  const uint8x16_t flip = vdupq_n_u8(block.flip);
  Sum sums[kWide];
  const uint8_t* const end = block.lhs + block.depth;
  for (const uint8_t* lhs = block.lhs; lhs < end; lhs += kDepthInterleave, weights += 32 * kWide) {
    uint32_t four;
    memcpy(&four, lhs, sizeof four);
    const int8x16_t a = vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(vdupq_n_u32(four)), flip));
#pragma GCC unroll 8
    for (int j = 0; j < kWide; ++j) sums[j].Add(a, weights + 32 * j);
  }
  const int left = static_cast<int>(block.cols - c < 8 * kWide ? block.cols - c : 8 * kWide);
#pragma GCC unroll 8
  for (int j = 0; j < kWide; ++j) {
    const size_t entry = block.channel + c + 8 * static_cast<size_t>(j);
    const Rounded4<kEnding> low(channels, entry), high(channels, entry + 4);
    const int8x8_t codes = clamp.Bytes(low(vaddq_s32(sums[j].Low(), vld1q_s32(channels.bias + entry))),
                                       high(vaddq_s32(sums[j].High(), vld1q_s32(channels.bias + entry + 4))));
    StoreBytes<8>(block.out + c + 8 * j, codes, left - 8 * j < 8 ? left - 8 * j : 8);
  }
}

// Panels of 8 * kMostWide channels, the last one as wide as it must be.
template <typename Sum, int kMostWide>
void Run(const Block& block, const Channels& channels, const Output& output) noexcept {
  constexpr size_t kNr = 8 * kMostWide;
  const ByteClamp clamp(output);
  WithEnding(channels, [&](auto ending) {
    constexpr Ending kEnding = decltype(ending)::value;
    const int8_t* weights = static_cast<const int8_t*>(block.packed);
    size_t c = 0;
    for (; c + kNr <= block.cols; c += kNr, weights += kNr * block.depth)
      RunPanel<Sum, kMostWide, kEnding>(block, weights, c, channels, clamp);
    if (c == block.cols) return;
    gemm::WithRows<kMostWide>((block.cols - c + 7) / 8, [&](auto wide) {
      RunPanel<Sum, decltype(wide)::value, kEnding>(block, weights, c, channels, clamp);
    });
  });
}

}  // namespace
}  // namespace lowbit::kernels::gemv
