// What is done with a row of float32 as a whole: sums, softmax, quantisation by the row's own range.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace lowbit::kernels::rows_f32 {

// The sum; the order of additions is each kernel's own.
using Sum = float (*)(const float* row, size_t count);

// Of each row of `depth` values: out[i] = e^(beta (row[i] - m)) / (the sum of these), m the largest entry.
// Powers below the smallest normal number may be anything from 0 up to it. `out` may be `values`.
using Softmax = void (*)(const float* values, size_t rows, size_t depth, float beta, float* out);

// Of each row of `depth` values: out[i] = x[i] g[i] + (-mean g[i] + beta[i]), g[i] = gamma[i] / sqrt(variance +
// epsilon), the variance being the mean of the squared differences from the mean. The same bits as one operation
// after the other with the kernels of the same instruction set; without `beta` (null) nothing is added. `out` may
// be `values`.
struct LayerNorm {
  const float *gamma, *beta;
  float epsilon;
};
using Normalize = void (*)(const float* values, size_t rows, size_t depth, const LayerNorm& norm, float* out);

// Codes of `rows` rows of `depth` values, with a scale, and perhaps a zero point, of each row's own:
// real = scale * (code - zero_point). A row of zeros has the codes 0 and the scale 1. The same bits on every
// instruction set, but for rows with NaN or infinities, whose codes are unspecified.
//
// Source: TFLite, kernels/internal/optimized/neon_tensor_utils.cc: NeonSymmetricQuantizeFloats,
// NeonAsymmetricQuantizeFloats, which its reference kernels use on x86 and ARM; the portable ones round the
// sum with the zero point instead, which differs in ties.
using QuantizeSymmetric = void (*)(const float* values, size_t rows, size_t depth, int8_t* codes,
                                   float* scales);
using QuantizeAsymmetric = void (*)(const float* values, size_t rows, size_t depth, int8_t* codes,
                                    float* scales, int32_t* zero_points);

struct Row {
  const char* name;  // of the instruction set: "rows.f32.avx2"
  cpu::Isa needs;
  Sum sum;
  Softmax softmax;
  Normalize normalize;
  QuantizeSymmetric quantize_symmetric;
  QuantizeAsymmetric quantize_asymmetric;
};
struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::rows_f32
