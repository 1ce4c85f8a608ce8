// Fake quantisation: the float32 that a code stands for, the gradients that pass it, and the ranges that grids are made
// from. Matrices have a grid for each column.
#pragma once

#include <stddef.h>

#include "cpu/isa.h"

namespace lowbit::kernels::grid_f32 {

// For each column: the step, and the codes less the zero point, from `least` to `most`: whole numbers below 2^22.
struct Grid {
  const float *step, *least, *most;
};

// out = step round(clamp(x / step, least, most)), half away from zero, never -0 for a step above 0; NaN stays.
using Quantize = void (*)(const float* x, const Grid& grid, size_t rows, size_t cols, float* out);

// How x hat moves with a number that the grid hangs on: where x / step lies below the clamp, above it, and within it
// times round(x / step) - x / step.
struct Effect {
  float below, above, within;
};
constexpr int kMostEffects = 2;
struct Effects {
  int count;
  Effect each[kMostEffects];
};

// Rows that are added up by themselves before their sum joins the others.
constexpr size_t kBlock = 128;

// dx = dy where x / step lies within the clamp, else 0, also for NaN; sums[e][c] += dy times effect e, rounded after
// each operation, in blocks of rows: the error for n rows is at most (kBlock + n / kBlock + 3) 2^-24 times the sum of
// the sizes.
using Gradient = void (*)(const float* x, const float* dy, const Grid& grid, const Effects& effects,
                          size_t rows, size_t cols, float* dx, float* const* sums);

// least[c] and most[c] become those of themselves and of all rows; NaN once there is one.
using Range = void (*)(const float* x, size_t rows, size_t cols, float* least, float* most);

// Every row gives the same bits. Outputs overlap nothing.
struct Row {
  const char* name;
  cpu::Isa needs;
  Quantize quantize;
  Gradient gradient;
  Range range;
};
struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::grid_f32
