// Sums of outer products for AVX2 and FMA: 6 rows x 16 columns. Reads no element beyond those of the call.
#include "kernels/outer_f32/avx2.h"

#include <immintrin.h>

#include "kernels/gemm/rows.h"

namespace lowbit::kernels::outer_f32 {
namespace {

constexpr size_t kMr = 6, kNr = 16, kLanes = 8;

// g++ otherwise reorders the row updates and spills accumulators in the loop.
inline void KeepInRegisters(__m256& a, __m256& b) {
#if defined(__GNUC__)
  __asm__("" : "+x"(a), "+x"(b));
#else
  (void)a, (void)b;
#endif
}

// Eight columns of a line, `count` of which there are.
struct Whole {
  static __m256 Load(const float* from, __m256i) { return _mm256_loadu_ps(from); }
  static void Store(float* to, __m256i, __m256 value) { _mm256_storeu_ps(to, value); }
};
struct Part {
  static __m256 Load(const float* from, __m256i mask) { return _mm256_maskload_ps(from, mask); }
  static void Store(float* to, __m256i mask, __m256 value) { _mm256_maskstore_ps(to, mask, value); }
};

inline __m256i MaskOf(size_t columns) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(columns < kLanes ? columns : kLanes)), lanes);
}

template <typename Columns, int kRows>
LOWBIT_NOINLINE void Tile(const Call& call, size_t row, size_t col, size_t columns) {
  const __m256i first = MaskOf(columns), second = MaskOf(columns > kLanes ? columns - kLanes : 0);
  __m256 acc[kRows][2];
  float* const out = call.out + static_cast<ptrdiff_t>(row) * call.out_stride + col;
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) {
    acc[m][0] = Columns::Load(out + m * call.out_stride, first);
    acc[m][1] = Columns::Load(out + m * call.out_stride + kLanes, second);
  }
  const float *lhs_line = call.lhs + row, *rhs_line = call.rhs + col;
  for (size_t l = 0; l < call.lines; ++l, lhs_line += call.lhs_line, rhs_line += call.rhs_line) {
    const float *lhs = lhs_line, *rhs = rhs_line;
    for (size_t k = 0; k < call.depth; ++k, lhs += call.lhs_step, rhs += call.rhs_step) {
      const __m256 b0 = Columns::Load(rhs, first), b1 = Columns::Load(rhs + kLanes, second);
#pragma GCC unroll 6
      for (int m = 0; m < kRows; ++m) {
        const __m256 a = _mm256_broadcast_ss(lhs + m);
        acc[m][0] = _mm256_fmadd_ps(a, b0, acc[m][0]);
        acc[m][1] = _mm256_fmadd_ps(a, b1, acc[m][1]);
        KeepInRegisters(acc[m][0], acc[m][1]);
      }
    }
  }
#pragma GCC unroll 6
  for (int m = 0; m < kRows; ++m) {
    Columns::Store(out + m * call.out_stride, first, acc[m][0]);
    Columns::Store(out + m * call.out_stride + kLanes, second, acc[m][1]);
  }
}

template <typename Columns>
void Strip(const Call& call, size_t col, size_t columns) {
  size_t row = 0;
  for (; row + kMr <= call.rows; row += kMr) Tile<Columns, kMr>(call, row, col, columns);
  if (row < call.rows) {
    gemm::WithRows<kMr>(call.rows - row,
                        [&](auto rows) { Tile<Columns, decltype(rows)::value>(call, row, col, columns); });
  }
}

void Run(const Call& call) noexcept {
  size_t col = 0;
  for (; col + kNr <= call.cols; col += kNr) Strip<Whole>(call, col, kNr);
  if (col < call.cols) Strip<Part>(call, col, call.cols - col);
}

constexpr Row kList[] = {{"outer.f32.6x16.avx2", cpu::kAvx2, kMr, kNr, Run}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::outer_f32
