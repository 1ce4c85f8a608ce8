// What 256-bit kernels share: panels of 8 * kWide channels and how their sums become codes. For inclusion by kernel
// files built with AVX2 or more; everything is in an unnamed namespace.
//
// A kernel is a `Sum`: made of the codes' flip, Of(lhs) makes the four depths at lhs ready for products, and
// Add(into, ready, weights) adds their products with eight channels' weights. kAtOnce sums are worth having at once.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/gemm/avx2_tile.h"
#include "kernels/gemv/contract.h"
#include "kernels/requantize/avx2.h"

namespace lowbit::kernels::gemv {
namespace {

constexpr int kMostWide = 8;

inline __m256i Broadcast4(const uint8_t* from) {
  int32_t four;
  memcpy(&four, from, sizeof four);
  return _mm256_set1_epi32(four);
}

template <int kWide, bool kFetch, Form kForm, typename Sum>
LOWBIT_NOINLINE void RunPanel(const Block& block, const int8_t* weights, size_t c, const Channels& channels,
                              const ByteClamp& clamp) {
  // Fewer sums than the adding instruction takes at once would wait for each other: they are split by depth.
  constexpr int kChains = kWide > Sum::kAtOnce / 2 ? 1 : Sum::kAtOnce / kWide;
  const Sum sum(block.flip);
  __m256i sums[kChains][kWide];
#pragma GCC unroll 8
  for (int chain = 0; chain < kChains; ++chain) {
#pragma GCC unroll 8
    for (int j = 0; j < kWide; ++j)
      sums[chain][j] =
          chain ? _mm256_setzero_si256() : Codes8<kForm>::Bias(channels, block.channel + c + 8 * j);
  }
  const uint8_t* lhs = block.lhs;
  const uint8_t* const end = lhs + block.depth;
  const auto step = [&](__m256i(&into)[kWide]) {
    const auto ready = sum.Of(Broadcast4(lhs));
#pragma GCC unroll 8
    for (int j = 0; j < kWide; ++j) {
      sum.Add(into[j], ready, _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + 32 * j)));
      gemm::KeepInRegister(into[j]);
      if (kFetch && j % 2 == 0)
        _mm_prefetch(reinterpret_cast<const char*>(weights + 32 * j + gemm::kFetchAhead), _MM_HINT_T0);
    }
    weights += 32 * kWide;
    lhs += kDepthInterleave;
  };
  if constexpr (kChains > 1) {
#pragma GCC unroll 1
    while (end - lhs >= kChains * kDepthInterleave) {
#pragma GCC unroll 8
      for (int chain = 0; chain < kChains; ++chain) step(sums[chain]);
    }
  }
#pragma GCC unroll 1
  while (lhs < end) step(sums[0]);
  int8_t* out = block.out + c;
  int left = block.cols - c < 8 * kWide ? static_cast<int>(block.cols - c) : 8 * kWide;
#pragma GCC unroll 8
  for (int j = 0; j < kWide; j += 2) {
    __m256i two[2];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const int at = j + i < kWide ? j + i : j;
      __m256i all = sums[0][at];
#pragma GCC unroll 8
      for (int chain = 1; chain < kChains; ++chain) all = _mm256_add_epi32(all, sums[chain][at]);
      two[i] = Codes8<kForm>(channels, block.channel + c + 8 * at)(all);
    }
    const __m128i bytes = clamp.Bytes(two[0], two[1]);
    if (j + 1 < kWide)
      StoreBytes<16>(out + 8 * j, bytes, left - 8 * j < 16 ? left - 8 * j : 16);
    else
      StoreBytes<8>(out + 8 * j, bytes, left - 8 * j);
  }
}

// From so many bytes on weights are fetched ahead: they hardly stay in the second-level cache from run to run. Fewer
// are faster without.
constexpr size_t kFetchFrom = 256 * 1024;

template <Form kForm, typename Sum>
void RunPanels(const Block& block, const Channels& channels, const Output& output) {
  constexpr size_t kNr = 8 * kMostWide;
  const ByteClamp clamp(output);
  const int8_t* weights = static_cast<const int8_t*>(block.packed);
  const bool fetch = block.cols * block.depth >= kFetchFrom;
  size_t c = 0;
  for (; c + kNr <= block.cols; c += kNr, weights += kNr * block.depth) {
    if (fetch)
      RunPanel<kMostWide, true, kForm, Sum>(block, weights, c, channels, clamp);
    else
      RunPanel<kMostWide, false, kForm, Sum>(block, weights, c, channels, clamp);
  }
  if (c == block.cols) return;
  gemm::WithRows<kMostWide>((block.cols - c + 7) / 8, [&](auto wide) {
    RunPanel<decltype(wide)::value, false, kForm, Sum>(block, weights, c, channels, clamp);
  });
}

template <typename Sum>
void Run(const Block& block, const Channels& channels, const Output& output) noexcept {
  if (channels.form == Form::kPlain) return RunPanels<Form::kPlain, Sum>(block, channels, output);
  RunPanels<Form::kSigned, Sum>(block, channels, output);
}

}  // namespace
}  // namespace lowbit::kernels::gemv
