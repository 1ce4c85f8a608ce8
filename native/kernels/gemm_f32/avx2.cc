// Float32 GEMM tiles for AVX2 and FMA: 6 rows x 16 channels in twelve accumulators.
// Reads: lhs runs inside [0, run_depth); panels are zero-padded.
#include "kernels/gemm_f32/avx2.h"

#include "kernels/gemm/rows.h"
#include "kernels/gemm_f32/avx2_pack.h"

namespace lowbit::kernels::gemm_f32 {

namespace {

constexpr int kMr = 6, kNr = 16;

// g++ otherwise reorders the row updates and spills accumulators in the loop.
inline void KeepInRegisters(__m256& a, __m256& b) {
#if defined(__GNUC__)
  __asm__("" : "+x"(a), "+x"(b));
#else
  (void)a, (void)b;
#endif
}

template <int kRows>
LOWBIT_NOINLINE void RunRows(const Block& block, const gemm::Tile<float, float>& tile,
                             const Channels& channels) {
  __m256 acc[kRows][2];
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) acc[m][0] = acc[m][1] = _mm256_setzero_ps();
  const float* weights = static_cast<const float*>(tile.packed);
  for (int run = 0; run < block.run_count; ++run) {
    const float* lhs[kRows];
#pragma GCC unroll 6
    for (int m = 0; m < kRows; ++m) lhs[m] = tile.lhs[m] + block.runs[run];
    for (ptrdiff_t k = 0; k < block.run_depth; ++k, weights += kNr) {
      const __m256 w0 = _mm256_load_ps(weights), w1 = _mm256_load_ps(weights + 8);
#pragma GCC unroll 6
      for (int m = 0; m < kRows; ++m) {
        const __m256 a = _mm256_broadcast_ss(lhs[m] + k);
        acc[m][0] = _mm256_fmadd_ps(a, w0, acc[m][0]);
        acc[m][1] = _mm256_fmadd_ps(a, w1, acc[m][1]);
        KeepInRegisters(acc[m][0], acc[m][1]);
      }
    }
  }
  const __m256 low = _mm256_set1_ps(channels.low), high = _mm256_set1_ps(channels.high);
  const float* bias = channels.bias + tile.channel;
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) {
    float* out = tile.out + m * block.out_stride;
    // min and max return their second operand when the first is NaN: NaN passes through.
    const __m256 first =
        _mm256_min_ps(high, _mm256_max_ps(low, _mm256_add_ps(acc[m][0], _mm256_loadu_ps(bias))));
    const __m256 second =
        _mm256_min_ps(high, _mm256_max_ps(low, _mm256_add_ps(acc[m][1], _mm256_loadu_ps(bias + 8))));
    if (tile.cols == kNr) {
      _mm256_storeu_ps(out, first);
      _mm256_storeu_ps(out + 8, second);
    } else {
      alignas(32) float all[kNr];
      _mm256_store_ps(all, first);
      _mm256_store_ps(all + 8, second);
      memcpy(out, all, static_cast<size_t>(tile.cols) * sizeof(float));
    }
  }
}

void F32_6x16(const Block& block, const Channels& channels) noexcept {
  gemm::EachStrip<kMr>(block, [&](auto count, const gemm::Strip& strip) {
    constexpr int kRows = decltype(count)::value;
    gemm::EachTile<kRows, kNr>(block, strip,
                               [&](const auto& tile) { RunRows<kRows>(block, tile, channels); });
  });
}

constexpr Row kList[] = {{"gemm.f32.6x16.avx2", cpu::kAvx2, kMr, kNr, 1, F32_6x16, PackPanel<kNr>}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_f32
