// GEMM tiles for AVX-512 VNNI: 8 rows x 32 or 16 channels, or 16 pixels x 16, four depths an instruction (vpdpbusd).
//
// Exact: vpdpbusd adds four products of an unsigned and a signed byte to an int32 without saturating on the
//        way; the int32 sums wrap, as the reference's do.
// Reads: lhs runs inside [0, run_depth), a multiple of 4; panels are zero-padded by pack.cc.
// The flip from code to code + 128 is an exclusive or on the way from memory: it runs beside the products, on
// other ports.
#include "kernels/gemm_u8/avx512vnni.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels/gemm/rows.h"
#include "kernels/requantize/avx512vnni.h"

namespace lowbit::kernels::gemm_u8 {

namespace {

constexpr int kMr = 8, kKr = kDepthInterleave;

inline __m512i Broadcast4(const uint8_t* from) {
  int32_t four;
  memcpy(&four, from, sizeof four);
  return _mm512_set1_epi32(four);
}

// g++ otherwise reorders the row updates and spills accumulators in the loop.
inline void KeepInRegister(__m512i& a) {
#if defined(__GNUC__)
  __asm__("" : "+v"(a));
#else
  (void)a;
#endif
}

// Adds the products of kRows rows and a panel of 16 * kWide channels to acc.
template <int kRows, int kWide, typename AnyBlock>
inline void Accumulate(const AnyBlock& block, const uint8_t* const* rows, const void* packed,
                       __m512i (&acc)[kRows][kWide]) {
  // Few accumulators would wait for each other: sums of few rows are split by depth.
  constexpr int kChains = kRows == 1 ? 4 : kRows <= 3 ? 2 : 1;
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(block.flip));
  const int8_t* weights = static_cast<const int8_t*>(packed);
  // While several tiles pass under a panel, the next panel is fetched.
  const ptrdiff_t ahead = kChains == 1 ? static_cast<ptrdiff_t>(block.panel_bytes) : gemm::kFetchAhead;
  __m512i sums[kChains][kRows][kWide];
#pragma GCC unroll 4
  for (int chain = 0; chain < kChains; ++chain) {
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
      for (int j = 0; j < kWide; ++j) sums[chain][m][j] = chain ? _mm512_setzero_si512() : acc[m][j];
    }
  }
  for (int run = 0; run < block.run_count; ++run) {
    const uint8_t* lhs[kRows];
    gemm::Forget(rows);  // else g++ keeps all its pointers in registers, and in vector registers
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) lhs[m] = rows[m] + block.runs[run];
    ptrdiff_t k = 0;
    const auto step = [&](__m512i(&into)[kRows][kWide]) {
      __m512i w[kWide];
#pragma GCC unroll 2
      for (int j = 0; j < kWide; ++j) {
        w[j] = _mm512_load_si512(weights + 64 * j);
        _mm_prefetch(reinterpret_cast<const char*>(weights + 64 * j + ahead), _MM_HINT_T1);
      }
      weights += 64 * kWide;
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) {
        const __m512i a = _mm512_xor_si512(Broadcast4(lhs[m] + k), flip);
#pragma GCC unroll 2
        for (int j = 0; j < kWide; ++j) {
          into[m][j] = _mm512_dpbusd_epi32(into[m][j], a, w[j]);
          KeepInRegister(into[m][j]);
        }
      }
      k += kKr;
    };
    if constexpr (kChains > 1) {
      while (k + kChains * kKr <= block.run_depth) {
#pragma GCC unroll 4
        for (int chain = 0; chain < kChains; ++chain) step(sums[chain]);
      }
    }
    while (k < block.run_depth) step(sums[0]);
  }
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) {
      acc[m][j] = sums[0][m][j];
#pragma GCC unroll 4
      for (int chain = 1; chain < kChains; ++chain)
        acc[m][j] = _mm512_add_epi32(acc[m][j], sums[chain][m][j]);
    }
  }
}

using gemm::EachStrip;
using gemm::EachTile;
using gemm::Strip;
using Tile = gemm::Tile<uint8_t, int8_t>;

// acc holds sums with the folded bias.
template <int kRows, int kWide, Form kForm>
inline void StoreFolded(const __m512i (&acc)[kRows][kWide], const Tile& tile, ptrdiff_t stride,
                        const Channels& channels, const ByteClamp& clamp) {
  Codes16<kForm> codes[kWide];
#pragma GCC unroll 2
  for (int j = 0; j < kWide; ++j) codes[j] = Codes16<kForm>(channels, tile.channel + 16 * j);
  constexpr int kAtOnce = 4 / kWide;
#pragma GCC unroll 8
  for (int m = 0; m < kRows; m += kAtOnce) {
    __m512i four[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const int row = m + i / kWide < kRows ? m + i / kWide : m;
      four[i] = codes[i % kWide](acc[row][i % kWide]);
    }
    Store64<kWide>(tile.out + m * stride, clamp.Bytes(four[0], four[1], four[2], four[3]), stride, kRows - m,
                   tile.cols);
  }
}

// The other roundings, from sums in memory without bias, 16 * wide a row.
LOWBIT_NOINLINE void StoreRounded(const int32_t* sums, int rows, int wide, const Tile& tile, ptrdiff_t stride,
                                  const Channels& channels, const Output& output) {
  const ByteClamp clamp(output);
  for (int m = 0; m < rows; ++m) {
    for (int j = 0; j < wide && 16 * j < tile.cols; ++j) {
      const int left = tile.cols - 16 * j;
      const size_t c = tile.channel + 16 * static_cast<size_t>(j);
      const __mmask16 columns = static_cast<__mmask16>(left < 16 ? (1u << left) - 1 : 0xFFFF);
      const __m512i sum = _mm512_add_epi32(_mm512_load_si512(sums + 16 * (wide * m + j)),
                                           Codes16<Form::kLiteral>::Bias(channels, c));
      _mm_mask_storeu_epi8(tile.out + m * stride + 16 * j, columns,
                           clamp.Bytes(Codes16<Form::kLiteral>(channels, c, output)(sum)));
    }
  }
}

template <int kRows, int kWide, Form kForm>
LOWBIT_NOINLINE void RunFolded(const Block& block, const Tile& tile, const Channels& channels,
                               const ByteClamp& clamp) {
  __m512i acc[kRows][kWide];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) acc[m][j] = Codes16<kForm>::Bias(channels, tile.channel + 16 * j);
  }
  // What the epilogue needs waits in memory. g++ would move these pointers to vector registers, as the loop takes all
  // others, and the way back queues behind the products.
  const Block* volatile kept_block = &block;
  const Tile* volatile kept_tile = &tile;
  const Channels* volatile kept_channels = &channels;
  const ByteClamp* volatile kept_clamp = &clamp;
  Accumulate<kRows, kWide>(block, tile.lhs, tile.packed, acc);
  StoreFolded<kRows, kWide, kForm>(acc, *kept_tile, kept_block->out_stride, *kept_channels, *kept_clamp);
}

template <int kRows, int kWide, typename AnyBlock, typename AnyTile>
LOWBIT_NOINLINE void SumTile(const AnyBlock& block, const AnyTile& tile, int32_t* sums) {
  __m512i acc[kRows][kWide];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) acc[m][j] = _mm512_setzero_si512();
  }
  Accumulate<kRows, kWide>(block, tile.lhs, tile.packed, acc);
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) _mm512_store_si512(sums + 16 * (kWide * m + j), acc[m][j]);
  }
}

// Sums in memory, for endings that are rare.
template <int kWide, typename AnyBlock, typename Finish>
inline void RunThroughMemory(const AnyBlock& block, const Finish& finish) {
  EachStrip<kMr>(block, [&](auto count, const Strip& strip) {
    constexpr int kRows = decltype(count)::value;
    EachTile<kRows, 16 * kWide>(block, strip, [&](const auto& tile) {
      alignas(64) int32_t sums[kRows * kWide * 16];
      SumTile<kRows, kWide>(block, tile, sums);
      finish(sums, kRows, tile);
    });
  });
}

template <int kWide, Form kForm>
void RunFoldedTiles(const Block& block, const Channels& channels, const ByteClamp& clamp) {
  EachStrip<kMr>(block, [&](auto count, const Strip& strip) {
    constexpr int kRows = decltype(count)::value;
    EachTile<kRows, 16 * kWide>(block, strip, [&](const Tile& tile) {
      RunFolded<kRows, kWide, kForm>(block, tile, channels, clamp);
    });
  });
}

// Pixels side by side under a filter whose lines have three, stride 1. Tiles of 16 channels do as many loads as
// products; here four channels of a pixel are loaded once for the three outputs whose filters cover them.
constexpr int kSlid = 16, kTaps = 3;

// Adds the products of kSlid pixels, `step` bytes apart, to acc; `first` is the first one's row. In a call of its own,
// as clang would have it, acc would lie in memory.
LOWBIT_INLINE void AccumulateSlid(const Block& block, const uint8_t* first, ptrdiff_t step,
                                  const void* packed, __m512i (&acc)[kSlid][1]) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(block.flip));
  const int8_t* weights = static_cast<const int8_t*>(packed);
  const ptrdiff_t next_tap = step * 16, thrice = 3 * step;
  for (int run = 0; run < block.run_count; ++run) {
    const uint8_t* fives[4];  // every fifth pixel; the others are found by scaled addresses
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) fives[i] = first + block.runs[run] + 5 * i * step;
    for (ptrdiff_t k = 0; k < step; k += kKr) {
      __m512i w[kTaps];
#pragma GCC unroll 3
      for (int t = 0; t < kTaps; ++t) w[t] = _mm512_load_si512(weights + t * next_tap);
      weights += 64;
#pragma GCC unroll 20
      for (int p = 0; p < kSlid + kTaps - 1; ++p) {
        const uint8_t* pixel = fives[p / 5] + (p % 5 == 3 ? thrice : p % 5 * step);
        const __m512i a = _mm512_xor_si512(Broadcast4(pixel), flip);
#pragma GCC unroll 3
        for (int t = 0; t < kTaps; ++t) {
          if (p < t || p - t >= kSlid) continue;
          acc[p - t][0] = _mm512_dpbusd_epi32(acc[p - t][0], a, w[t]);
          KeepInRegister(acc[p - t][0]);
        }
      }
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) fives[i] += kKr;
    }
    weights += (kTaps - 1) * next_tap;
  }
}

template <Form kForm>
LOWBIT_NOINLINE void RunSlid(const Block& block, const Tile& tile, const Channels& channels,
                             const ByteClamp& clamp) {
  __m512i acc[kSlid][1];
#pragma GCC unroll 16
  for (int m = 0; m < kSlid; ++m) acc[m][0] = Codes16<kForm>::Bias(channels, tile.channel);
  AccumulateSlid(block, tile.lhs[0], block.run_depth / kTaps, tile.packed, acc);
  StoreFolded<kSlid, 1, kForm>(acc, tile, block.out_stride, channels, clamp);
}

inline bool AreNeighbours(const uint8_t* const* rows, ptrdiff_t step) {
  bool are = true;
  for (int i = 1; i < kSlid; ++i) are &= rows[i] == rows[i - 1] + step;
  return are;
}

// Tiles of neighbours slide; what is left, as at the ends of lines, does not.
template <Form kForm>
void RunSlidTiles(Block block, const Channels& channels, const ByteClamp& clamp) {
  const size_t rows = block.rows;
  for (size_t row = 0; row < rows; row += kSlid) {
    block.rows = rows - row < kSlid ? rows - row : kSlid;
    if (block.rows == kSlid && AreNeighbours(block.lhs, block.run_depth / kTaps)) {
      EachTile<kSlid, 16>(block, Strip{0, 1},
                          [&](const Tile& tile) { RunSlid<kForm>(block, tile, channels, clamp); });
    } else {
      RunFoldedTiles<1, kForm>(block, channels, clamp);
    }
    block.lhs += kSlid;
    block.out += kSlid * block.out_stride;
  }
}

template <int kWide, Form kForm>
void RunCodes(const Block& block, const Channels& channels, const Output& output) {
  const ByteClamp clamp(output);
  if constexpr (kWide == 1) {
    const ptrdiff_t step = block.rows >= kSlid ? block.lhs[1] - block.lhs[0] : 0;
    if (step > 0 && step % kKr == 0 && block.run_depth == kTaps * step)
      return RunSlidTiles<kForm>(block, channels, clamp);
  }
  RunFoldedTiles<kWide, kForm>(block, channels, clamp);
}

template <int kWide>
void U8S8(const Block& block, const Channels& channels, const Output& output) noexcept {
  if (channels.form == Form::kPlain) return RunCodes<kWide, Form::kPlain>(block, channels, output);
  if (channels.form == Form::kSigned) return RunCodes<kWide, Form::kSigned>(block, channels, output);
  RunThroughMemory<kWide>(block, [&](const int32_t* sums, int rows, const Tile& tile) {
    StoreRounded(sums, rows, kWide, tile, block.out_stride, channels, output);
  });
}

// What turns sums of sixteen channels into reals.
struct Reals16 {
  __m512 own, bias;
  Reals16() = default;
  Reals16(const gemm::HybridChannels& channels, size_t c)
      : own(_mm512_loadu_ps(channels.scale + c)), bias(_mm512_loadu_ps(channels.bias + c)) {}
  // The bias is added apart: -ffp-contract=off keeps the compiler from fusing the sum.
  __m512 Of(__m512i sum, __m512 scale, bool scales_apart) const {
    const __m512 real = _mm512_cvtepi32_ps(sum);
    return _mm512_add_ps(scales_apart ? _mm512_mul_ps(_mm512_mul_ps(real, own), scale)
                                      : _mm512_mul_ps(real, _mm512_mul_ps(scale, own)),
                         bias);
  }
};

template <bool kClamps, int kRows, int kWide>
LOWBIT_NOINLINE void RunReals(const HybridBlock& block, const gemm::Tile<uint8_t, float>& tile,
                              const gemm::HybridChannels& channels, const gemm::HybridRows& rows) {
  const ptrdiff_t first = static_cast<ptrdiff_t>(tile.row) * rows.step;
  __m512i acc[kRows][kWide];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
    const __m512i zero = _mm512_set1_epi32(-channels.offset - rows.zero_point[first + m * rows.step]);
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j)
      acc[m][j] = _mm512_mullo_epi32(zero, LoadLanes16(channels.weight_sum + tile.channel + 16 * j));
  }
  Accumulate<kRows, kWide>(block, tile.lhs, tile.packed, acc);
  const __m512 low = _mm512_set1_ps(channels.low), high = _mm512_set1_ps(channels.high);
  const uint64_t columns = (uint64_t{1} << tile.cols) - 1;
  Reals16 reals[kWide];
#pragma GCC unroll 2
  for (int j = 0; j < kWide; ++j) reals[j] = Reals16(channels, tile.channel + 16 * j);
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
    const __m512 scale = _mm512_set1_ps(rows.scale[first + m * rows.step]);
    float* out = tile.out + m * block.out_stride;
#pragma GCC unroll 2
    for (int j = 0; j < kWide; ++j) {
      __m512 real = reals[j].Of(acc[m][j], scale, channels.scales_apart);
      if (kClamps) real = _mm512_min_ps(high, _mm512_max_ps(low, real));  // NaN passes through
      _mm512_mask_storeu_ps(out + 16 * j, static_cast<__mmask16>(columns >> (16 * j)), real);
    }
  }
}

template <int kWide>
void U8F32(const HybridBlock& block, const gemm::HybridChannels& channels,
           const gemm::HybridRows& rows) noexcept {
  const bool clamps = channels.low > -INFINITY || channels.high < INFINITY;  // most layers have none
  EachStrip<kMr>(block, [&](auto count, const Strip& strip) {
    constexpr int kRows = decltype(count)::value;
    EachTile<kRows, 16 * kWide>(block, strip, [&](const auto& tile) {
      clamps ? RunReals<true, kRows, kWide>(block, tile, channels, rows)
             : RunReals<false, kRows, kWide>(block, tile, channels, rows);
    });
  });
}

constexpr Row kList[] = {
    {"gemm.u8s8.8x32c4.avx512vnni", cpu::kAvx512Vnni, kMr, 32, kKr, U8S8<2>, U8F32<2>},
    {"gemm.u8s8.8x16c4.avx512vnni", cpu::kAvx512Vnni, kMr, 16, kKr, U8S8<1>, U8F32<1>},
};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_u8
