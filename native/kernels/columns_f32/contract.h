// Matrices of float32, column by column: sums over the rows, and scaling.
#pragma once

#include <stddef.h>

#include "cpu/isa.h"

namespace lowbit::kernels::columns_f32 {

// Rows that are added up by themselves before their sum joins the others: with n rows, the error is at most
// (kBlock + n / kBlock) 2^-24 times the sum of the sizes (products round twice more).
constexpr size_t kBlock = 128;

// sums[c] += x[r][c] over all rows r.
using Sum = void (*)(const float* x, size_t rows, size_t cols, float* sums);

// The same, and products[c] += x[r][c] (y[r][c] - shift[c]).
using Product = void (*)(const float* x, const float* y, const float* shift, size_t rows, size_t cols,
                         float* sums, float* products);

// out[r][c] = (x[r][c] - shift[c]) factor[c] + offset[c], each operation rounded by itself: the same bits from every
// row of the list. `out` may be `x`.
struct Line {
  const float *shift, *factor, *offset;
};
using Scale = void (*)(const float* x, const Line& line, size_t rows, size_t cols, float* out);

struct Row {
  const char* name;
  cpu::Isa needs;
  Sum sum;
  Product product;
  Scale scale;
};
struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::columns_f32
