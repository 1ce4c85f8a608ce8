// Rows times weights for AVX-512 VNNI: 64 channels a panel, four depths an instruction (vpdpbusd).
//
// Exact: vpdpbusd adds four products of an unsigned and a signed byte to an int32 without saturating on the
//        way; the int32 sums wrap, as the reference's do.
// Reads: lhs inside [0, depth), a multiple of 4; panels are zero-padded by pack.cc. Nothing is fetched ahead: that
//        changed nothing, wherever the weights came from.
#include "kernels/gemv/avx512vnni.h"

#include <immintrin.h>
#include <string.h>

#include "kernels/gemm/rows.h"
#include "kernels/requantize/avx512vnni.h"

namespace lowbit::kernels::gemv {

namespace {

constexpr int kNr = 64;

inline __m512i Broadcast4(const uint8_t* from) {
  int32_t four;
  memcpy(&four, from, sizeof four);
  return _mm512_set1_epi32(four);
}

// Panels of 16 * kWide channels. Few sums would wait for each other: they are split by depth.
template <int kWide, Form kForm>
LOWBIT_NOINLINE void RunPanel(const Block& block, const int8_t* weights, size_t c, const Channels& channels,
                              const ByteClamp& clamp) {
  constexpr int kChains = kWide == 1 ? 8 : kWide == 2 ? 4 : 2;
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(block.flip));
  __m512i sums[kChains][kWide];
#pragma GCC unroll 8
  for (int chain = 0; chain < kChains; ++chain) {
#pragma GCC unroll 4
    for (int j = 0; j < kWide; ++j)
      sums[chain][j] =
          chain ? _mm512_setzero_si512() : Codes16<kForm>::Bias(channels, block.channel + c + 16 * j);
  }
  const uint8_t* lhs = block.lhs;
  const uint8_t* const end = lhs + block.depth;
  const auto step = [&](__m512i(&into)[kWide]) {
    const __m512i a = _mm512_xor_si512(Broadcast4(lhs), flip);
#pragma GCC unroll 4
    for (int j = 0; j < kWide; ++j)
      into[j] = _mm512_dpbusd_epi32(into[j], a, _mm512_load_si512(weights + 64 * j));
    weights += 64 * kWide;
    lhs += kDepthInterleave;
  };
  while (end - lhs >= kChains * kDepthInterleave) {
#pragma GCC unroll 8
    for (int chain = 0; chain < kChains; ++chain) step(sums[chain]);
  }
  while (lhs < end) step(sums[0]);
  __m512i four[4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    if (j < kWide) {
      __m512i sum = sums[0][j];
#pragma GCC unroll 8
      for (int chain = 1; chain < kChains; ++chain) sum = _mm512_add_epi32(sum, sums[chain][j]);
      four[j] = Codes16<kForm>(channels, block.channel + c + 16 * j)(sum);
    } else {
      four[j] = four[0];
    }
  }
  const __m512i codes = clamp.Bytes(four[0], four[1], four[2], four[3]);
  const size_t left = block.cols - c;
  if (left >= kNr)
    _mm512_storeu_si512(block.out + c, codes);
  else
    _mm512_mask_storeu_epi8(block.out + c, (uint64_t{1} << left) - 1, codes);
}

template <Form kForm>
void RunPanels(const Block& block, const Channels& channels, const Output& output) {
  const ByteClamp clamp(output);
  const int8_t* weights = static_cast<const int8_t*>(block.packed);
  size_t c = 0;
  for (; c + kNr <= block.cols; c += kNr, weights += kNr * block.depth)
    RunPanel<kNr / 16, kForm>(block, weights, c, channels, clamp);
  if (c == block.cols) return;
  gemm::WithRows<kNr / 16>((block.cols - c + 15) / 16, [&](auto wide) {
    RunPanel<decltype(wide)::value, kForm>(block, weights, c, channels, clamp);
  });
}

void U8S8(const Block& block, const Channels& channels, const Output& output) noexcept {
  if (channels.form == Form::kPlain) return RunPanels<Form::kPlain>(block, channels, output);
  RunPanels<Form::kSigned>(block, channels, output);
}

constexpr Row kList[] = {{"gemv.u8s8.1x64c4.avx512vnni", cpu::kAvx512Vnni, kNr, 16, 128, -128, U8S8}};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemv
