// Quantisation of float activations while running ("dynamic range"): each row finds its own scale
// (kernels/rows_f32).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/rows_f32/contract.h"
#include "program/step.h"

namespace lowbit::program::steps {

// `rows` rows of `depth` values each, shared among the run's threads; a scale and a zero point (0 for symmetric ones) a
// row.
void QuantizeRows(const RunContext& run, const kernels::rows_f32::Row& row, bool is_asymmetric,
                  const float* values, size_t rows, size_t depth, int8_t* codes, float* scales,
                  int32_t* zero_points);

// One row by the scalar kernel, for steps that spend little time on it.
void QuantizeRowSymmetric(const float* values, size_t count, int8_t* codes, float* scale);
void QuantizeRowAsymmetric(const float* values, size_t count, int8_t* codes, float* scale,
                           int32_t* zero_point);

}  // namespace lowbit::program::steps
