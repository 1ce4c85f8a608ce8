// GEMM tiles for AVX-VNNI, 256 bits: 6 rows x 16 channels, four depths an instruction (vpdpbusd).
//
// Exact: vpdpbusd adds four products of an unsigned and a signed byte to an int32 without saturating on the
//        way; the int32 sums wrap, as the reference's do.
// Reads: lhs rows inside [0, depth), depth a multiple of 4; panels are zero-padded by pack.cc.
#include "kernels/gemm_u8/avxvnni.h"

#include "kernels/gemm/avx2_tile.h"

namespace lowbit::kernels::gemm_u8 {

namespace {

using gemm::kMr;
using gemm::kNr;
constexpr int kKr = kDepthInterleave;

inline __m256i Broadcast4(const uint8_t* from) {
  int32_t four;
  memcpy(&four, from, sizeof four);
  return _mm256_set1_epi32(four);
}

template <int kRows, typename AnyTile, typename Finish>
inline void Accumulate(const AnyTile& tile, const Finish& finish) {
  __m256i acc[kRows][2];
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) acc[m][0] = acc[m][1] = _mm256_setzero_si256();
  const int8_t* weights = static_cast<const int8_t*>(tile.packed);
  const uint8_t* lhs[kRows];
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) lhs[m] = tile.lhs + m * tile.lhs_stride;
  for (ptrdiff_t k = 0; k < tile.depth; k += kKr) {
    const __m256i w0 = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
    const __m256i w1 = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + 32));
    weights += kNr * kKr;
#pragma GCC unroll 6
    for (int m = 0; m < kRows; ++m) {
      const __m256i a = Broadcast4(lhs[m] + k);
      acc[m][0] = _mm256_dpbusd_avx_epi32(acc[m][0], a, w0);
      acc[m][1] = _mm256_dpbusd_avx_epi32(acc[m][1], a, w1);
      gemm::KeepInRegisters(acc[m][0], acc[m][1]);
    }
  }
  // Through memory: g++ lets some epilogues reach into the loop and spill its accumulators.
  __m256i saved[kRows][2];
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) {
    saved[m][0] = acc[m][0];
    saved[m][1] = acc[m][1];
  }
  gemm::Launder(saved);
  finish(saved);
}

template <Rounding kRounding>
void RunTile(const Tile& tile, const Channels& channels, const Output& output) {
  gemm::WithRows(tile.rows, [&](auto count) {
    constexpr int kRows = decltype(count)::value;
    Accumulate<kRows>(tile, [&](const __m256i(&acc)[kRows][2]) {
      gemm::StoreTile<kRows, kRounding>(acc, tile, channels, output);
    });
  });
}

void U8S8_6x16c4(const Tile& tile, const Channels& channels, const Output& output) noexcept {
  switch (channels.rounding) {
    case Rounding::kFolded:
      return RunTile<Rounding::kFolded>(tile, channels, output);
    case Rounding::kTwice:
      return RunTile<Rounding::kTwice>(tile, channels, output);
    case Rounding::kOnce:
      return RunTile<Rounding::kOnce>(tile, channels, output);
  }
}

void U8F32_6x16c4(const HybridTile& tile, const gemm::HybridChannels& channels,
                  const gemm::HybridRows& rows) noexcept {
  gemm::WithRows(tile.rows, [&](auto count) {
    constexpr int kRows = decltype(count)::value;
    Accumulate<kRows>(
        tile, [&](const __m256i(&acc)[kRows][2]) { gemm::StoreReals<kRows>(acc, tile, channels, rows); });
  });
}

void Copy32(const int8_t* src, size_t count, uint8_t mask, uint8_t* dst) noexcept {
  const __m256i wide = _mm256_set1_epi8(static_cast<char>(mask));
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(src + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + i), _mm256_xor_si256(codes, wide));
  }
  for (; i + 8 <= count; i += 8) {
    const __m128i codes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(src + i));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(dst + i), _mm_xor_si128(codes, _mm256_castsi256_si128(wide)));
  }
  for (; i < count; ++i) dst[i] = static_cast<uint8_t>(src[i]) ^ mask;
}

constexpr Row kList[] = {
    {"gemm.u8s8.6x16c4.avxvnni", cpu::kAvxVnni, kMr, kNr, kKr, U8S8_6x16c4, U8F32_6x16c4, Copy32},
};

}  // namespace

const Rows kAvxVnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_u8
