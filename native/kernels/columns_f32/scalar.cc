// Sums and scaling of columns, one element at a time.
#include "kernels/columns_f32/scalar.h"

namespace lowbit::kernels::columns_f32 {
namespace {

size_t EndOfBlock(size_t begin, size_t rows) { return rows - begin < kBlock ? rows : begin + kBlock; }

void SumOf(const float* x, size_t rows, size_t cols, float* sums) {
  for (size_t begin = 0; begin < rows; begin += kBlock) {
    for (size_t c = 0; c < cols; ++c) {
      float sum = 0;
      for (size_t r = begin; r < EndOfBlock(begin, rows); ++r) sum += x[r * cols + c];
      sums[c] += sum;
    }
  }
}

void ProductOf(const float* x, const float* y, const float* shift, size_t rows, size_t cols, float* sums,
               float* products) {
  for (size_t begin = 0; begin < rows; begin += kBlock) {
    for (size_t c = 0; c < cols; ++c) {
      float sum = 0, product = 0;
      for (size_t r = begin; r < EndOfBlock(begin, rows); ++r) {
        const size_t at = r * cols + c;
        sum += x[at];
        product += x[at] * (y[at] - shift[c]);
      }
      sums[c] += sum;
      products[c] += product;
    }
  }
}

void ScaleAll(const float* x, const Line& line, size_t rows, size_t cols, float* out) {
  for (size_t r = 0; r < rows; ++r, x += cols, out += cols)
    for (size_t c = 0; c < cols; ++c) out[c] = (x[c] - line.shift[c]) * line.factor[c] + line.offset[c];
}

constexpr Row kList[] = {{"columns.f32.scalar", cpu::kScalar, SumOf, ProductOf, ScaleAll}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::columns_f32
