// Float32 GEMM tiles for AVX-512: 8 rows x 32 or 16 channels.
// Reads: lhs runs inside [0, run_depth); panels are zero-padded.
#include "kernels/gemm_f32/avx512vnni.h"

#include "kernels/gemm/rows.h"
#include "kernels/gemm_f32/avx2_pack.h"

namespace lowbit::kernels::gemm_f32 {

namespace {

constexpr int kMr = 8, kLanes = 16;

// g++ otherwise reorders the row updates and spills accumulators in the loop.
inline void KeepInRegisters(__m512& a) {
#if defined(__GNUC__)
  __asm__("" : "+v"(a));
#else
  (void)a;
#endif
}

template <int kRows, int kVectors>
LOWBIT_NOINLINE void RunRows(const Block& block, const gemm::Tile<float, float>& tile,
                             const Channels& channels) {
  __m512 acc[kRows][kVectors];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) acc[m][v] = _mm512_setzero_ps();
  }
  const float* weights = static_cast<const float*>(tile.packed);
  for (int run = 0; run < block.run_count; ++run) {
    const float* lhs[kRows];
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) lhs[m] = tile.lhs[m] + block.runs[run];
    for (ptrdiff_t k = 0; k < block.run_depth; ++k, weights += kVectors * kLanes) {
      __m512 w[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) w[v] = _mm512_loadu_ps(weights + v * kLanes);
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) {
        const __m512 a = _mm512_set1_ps(lhs[m][k]);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          acc[m][v] = _mm512_fmadd_ps(a, w[v], acc[m][v]);
          KeepInRegisters(acc[m][v]);
        }
      }
    }
  }
  const __m512 low = _mm512_set1_ps(channels.low), high = _mm512_set1_ps(channels.high);
  const float* bias = channels.bias + tile.channel;
  const uint64_t columns = (uint64_t{1} << tile.cols) - 1;
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
    float* out = tile.out + m * block.out_stride;
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      // min and max return their second operand when the first is NaN: NaN passes through.
      const __m512 sum = _mm512_add_ps(acc[m][v], _mm512_loadu_ps(bias + v * kLanes));
      const __mmask16 inside = static_cast<__mmask16>(columns >> (v * kLanes));
      _mm512_mask_storeu_ps(out + v * kLanes, inside, _mm512_min_ps(high, _mm512_max_ps(low, sum)));
    }
  }
}

template <int kVectors>
void Run(const Block& block, const Channels& channels) noexcept {
  gemm::EachStrip<kMr>(block, [&](auto count, const gemm::Strip& strip) {
    constexpr int kRows = decltype(count)::value;
    gemm::EachTile<kRows, kVectors * kLanes>(
        block, strip, [&](const auto& tile) { RunRows<kRows, kVectors>(block, tile, channels); });
  });
}

constexpr Row kList[] = {
    {"gemm.f32.8x32.avx512vnni", cpu::kAvx512Vnni, kMr, 2 * kLanes, 1, Run<2>, PackPanel<2 * kLanes>},
    {"gemm.f32.8x16.avx512vnni", cpu::kAvx512Vnni, kMr, kLanes, 1, Run<1>, PackPanel<kLanes>},
};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_f32
