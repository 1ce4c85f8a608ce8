// GEMM tiles for AVX-512 VNNI: 8 rows x 32 channels, four depths an instruction (vpdpbusd).
//
// Exact: vpdpbusd adds four products of an unsigned and a signed byte to an int32 without saturating on the
//        way; the int32 sums wrap, as the reference's do.
// Reads: lhs rows inside [0, depth), depth a multiple of 4; panels are zero-padded by pack.cc.
#include "kernels/gemm_u8/avx512vnni.h"

#include <immintrin.h>
#include <string.h>

#include "kernels/requantize/avx512vnni.h"

namespace lowbit::kernels::gemm_u8 {

namespace {

constexpr int kMr = 8, kNr = 32, kKr = kDepthInterleave;

inline __m512i Broadcast4(const uint8_t* from) {
  int32_t four;
  memcpy(&four, from, sizeof four);
  return _mm512_set1_epi32(four);
}

// g++ otherwise reorders the row updates and spills accumulators in the loop.
inline void KeepInRegisters(__m512i& a, __m512i& b) {
#if defined(__GNUC__)
  __asm__("" : "+v"(a), "+v"(b));
#else
  (void)a, (void)b;
#endif
}

// The compiler must take what `memory` points to as unknown.
inline void Launder(void* memory) {
#if defined(__GNUC__)
  __asm__ volatile("" : : "r"(memory) : "memory");
#else
  (void)memory;
#endif
}

template <int kRows, typename AnyTile, typename Finish>
inline void Accumulate(const AnyTile& tile, const Finish& finish) {
  __m512i acc[kRows][2];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) acc[m][0] = acc[m][1] = _mm512_setzero_si512();
  const int8_t* weights = static_cast<const int8_t*>(tile.packed);
  const uint8_t* lhs[kRows];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) lhs[m] = tile.lhs + m * tile.lhs_stride;
  for (ptrdiff_t k = 0; k < tile.depth; k += kKr) {
    const __m512i w0 = _mm512_load_si512(weights), w1 = _mm512_load_si512(weights + 64);
    weights += kNr * kKr;
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
      const __m512i a = Broadcast4(lhs[m] + k);
      acc[m][0] = _mm512_dpbusd_epi32(acc[m][0], a, w0);
      acc[m][1] = _mm512_dpbusd_epi32(acc[m][1], a, w1);
      KeepInRegisters(acc[m][0], acc[m][1]);
    }
  }
  finish(acc);
}

// Calls run with the number of rows as a constant.
template <int kRows>
struct RowCount {
  static constexpr int value = kRows;
};
template <typename Run>
inline void WithRows(int rows, const Run& run) {
  switch (rows) {
    case 1:
      return run(RowCount<1>());
    case 2:
      return run(RowCount<2>());
    case 3:
      return run(RowCount<3>());
    case 4:
      return run(RowCount<4>());
    case 5:
      return run(RowCount<5>());
    case 6:
      return run(RowCount<6>());
    case 7:
      return run(RowCount<7>());
    default:
      return run(RowCount<8>());
  }
}

template <Rounding kRounding>
void RunTile(const Tile& tile, const Channels& channels, const Output& output) {
  WithRows(tile.rows, [&](auto count) {
    constexpr int kRows = decltype(count)::value;
    Accumulate<kRows>(tile, [&](const __m512i(&acc)[kRows][2]) {
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) {
        int8_t* out = tile.out + m * tile.out_stride;
        const __m128i first = Codes16<kRounding>(acc[m][0], channels, tile.channel, output);
        const __m128i second = Codes16<kRounding>(acc[m][1], channels, tile.channel + 16, output);
        const __mmask32 columns = static_cast<__mmask32>((uint64_t{1} << tile.cols) - 1);
        _mm256_mask_storeu_epi8(out, columns, _mm256_set_m128i(second, first));
      }
    });
  });
}

void U8S8_8x32c4(const Tile& tile, const Channels& channels, const Output& output) noexcept {
  switch (channels.rounding) {
    case Rounding::kFolded:
      return RunTile<Rounding::kFolded>(tile, channels, output);
    case Rounding::kTwice:
      return RunTile<Rounding::kTwice>(tile, channels, output);
    case Rounding::kOnce:
      return RunTile<Rounding::kOnce>(tile, channels, output);
  }
}

// Sixteen channels from c of one row, as reals.
inline __m512 Real16(__m512i acc, const gemm::HybridChannels& channels, size_t c, __m512i zero_point,
                     __m512 scale) {
  const __m512i sums = LoadLanes16(channels.weight_sum + c);
  const __m512 sum = _mm512_cvtepi32_ps(_mm512_sub_epi32(acc, _mm512_mullo_epi32(zero_point, sums)));
  const __m512 own = _mm512_loadu_ps(channels.scale + c);
  const __m512 product = channels.scales_apart ? _mm512_mul_ps(_mm512_mul_ps(sum, own), scale)
                                               : _mm512_mul_ps(sum, _mm512_mul_ps(scale, own));
  // Rounded on its own: -ffp-contract=off keeps the compiler from fusing the sum.
  const __m512 real = _mm512_add_ps(product, _mm512_loadu_ps(channels.bias + c));
  return _mm512_min_ps(_mm512_max_ps(real, _mm512_set1_ps(channels.low)), _mm512_set1_ps(channels.high));
}

void U8F32_8x32c4(const HybridTile& tile, const gemm::HybridChannels& channels,
                  const gemm::HybridRows& rows) noexcept {
  WithRows(tile.rows, [&](auto count) {
    constexpr int kRows = decltype(count)::value;
    Accumulate<kRows>(tile, [&](const __m512i(&sums)[kRows][2]) {
      // Through memory: the loop over rows below would otherwise keep the accumulators there.
      __m512i acc[kRows][2];
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) {
        acc[m][0] = sums[m][0];
        acc[m][1] = sums[m][1];
      }
      Launder(acc);
      for (int m = 0; m < kRows; ++m) {
        const __m512i zero_point = _mm512_set1_epi32(rows.zero_point[m * rows.step]);
        const __m512 scale = _mm512_set1_ps(rows.scale[m * rows.step]);
        float* out = tile.out + m * tile.out_stride;
        const uint64_t columns = (uint64_t{1} << tile.cols) - 1;
        _mm512_mask_storeu_ps(out, static_cast<__mmask16>(columns),
                              Real16(acc[m][0], channels, tile.channel, zero_point, scale));
        _mm512_mask_storeu_ps(out + 16, static_cast<__mmask16>(columns >> 16),
                              Real16(acc[m][1], channels, tile.channel + 16, zero_point, scale));
      }
    });
  });
}

void Copy64(const int8_t* src, size_t count, uint8_t mask, uint8_t* dst) noexcept {
  const __m512i wide = _mm512_set1_epi8(static_cast<char>(mask));
  size_t i = 0;
  for (; i + 64 <= count; i += 64)
    _mm512_storeu_si512(dst + i, _mm512_xor_si512(_mm512_loadu_si512(src + i), wide));
  if (i == count) return;
  const __mmask64 rest = (uint64_t{1} << (count - i)) - 1;
  _mm512_mask_storeu_epi8(dst + i, rest, _mm512_xor_si512(_mm512_maskz_loadu_epi8(rest, src + i), wide));
}

constexpr Row kList[] = {
    {"gemm.u8s8.8x32c4.avx512vnni", cpu::kAvx512Vnni, kMr, kNr, kKr, U8S8_8x32c4, U8F32_8x32c4, Copy64},
};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_u8
