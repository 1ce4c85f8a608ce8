// Sums of outer products for AVX-512: 8 rows x 32 columns. Reads no element beyond those of the call.
#include "kernels/outer_f32/avx512vnni.h"

#include <immintrin.h>

#include "kernels/gemm/rows.h"

namespace lowbit::kernels::outer_f32 {
namespace {

constexpr size_t kMr = 8, kNr = 32, kLanes = 16;

// g++ otherwise reorders the row updates and spills accumulators in the loop.
inline void KeepInRegisters(__m512& a, __m512& b) {
#if defined(__GNUC__)
  __asm__("" : "+v"(a), "+v"(b));
#else
  (void)a, (void)b;
#endif
}

// One tile at column `col`, of which `first` and `second` are the masks.
template <int kRows>
LOWBIT_NOINLINE void Tile(const Call& call, size_t row, size_t col, __mmask16 first, __mmask16 second) {
  __m512 acc[kRows][2];
  float* const out = call.out + static_cast<ptrdiff_t>(row) * call.out_stride + col;
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
    acc[m][0] = _mm512_maskz_loadu_ps(first, out + m * call.out_stride);
    acc[m][1] = _mm512_maskz_loadu_ps(second, out + m * call.out_stride + kLanes);
  }
  const float *lhs_line = call.lhs + row, *rhs_line = call.rhs + col;
  for (size_t l = 0; l < call.lines; ++l, lhs_line += call.lhs_line, rhs_line += call.rhs_line) {
    const float *lhs = lhs_line, *rhs = rhs_line;
    for (size_t k = 0; k < call.depth; ++k, lhs += call.lhs_step, rhs += call.rhs_step) {
      const __m512 b0 = _mm512_maskz_loadu_ps(first, rhs), b1 = _mm512_maskz_loadu_ps(second, rhs + kLanes);
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) {
        const __m512 a = _mm512_set1_ps(lhs[m]);
        acc[m][0] = _mm512_fmadd_ps(a, b0, acc[m][0]);
        acc[m][1] = _mm512_fmadd_ps(a, b1, acc[m][1]);
        KeepInRegisters(acc[m][0], acc[m][1]);
      }
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
    _mm512_mask_storeu_ps(out + m * call.out_stride, first, acc[m][0]);
    _mm512_mask_storeu_ps(out + m * call.out_stride + kLanes, second, acc[m][1]);
  }
}

void Run(const Call& call) noexcept {
  for (size_t col = 0; col < call.cols; col += kNr) {
    const size_t left = call.cols - col;
    const uint64_t columns = left < kNr ? (uint64_t{1} << left) - 1 : 0xFFFFFFFF;
    const __mmask16 first = static_cast<__mmask16>(columns),
                    second = static_cast<__mmask16>(columns >> kLanes);
    size_t row = 0;
    for (; row + kMr <= call.rows; row += kMr) Tile<kMr>(call, row, col, first, second);
    if (row < call.rows) {
      gemm::WithRows<kMr>(call.rows - row,
                          [&](auto rows) { Tile<decltype(rows)::value>(call, row, col, first, second); });
    }
  }
}

constexpr Row kList[] = {{"outer.f32.8x32.avx512vnni", cpu::kAvx512Vnni, kMr, kNr, Run}};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::outer_f32
