// Quantises rows of float activations.
#include "program/steps/quantize_rows.h"

#include <algorithm>

#include "kernels/rows_f32/scalar.h"

namespace lowbit::program::steps {

void QuantizeRows(const kernels::rows_f32::Row& row, bool is_asymmetric, const float* values, size_t rows,
                  size_t depth, int8_t* codes, float* scales, int32_t* zero_points) {
  if (is_asymmetric) return row.quantize_asymmetric(values, rows, depth, codes, scales, zero_points);
  row.quantize_symmetric(values, rows, depth, codes, scales);
  std::fill_n(zero_points, rows, 0);
}

void QuantizeRowSymmetric(const float* values, size_t count, int8_t* codes, float* scale) {
  kernels::rows_f32::kScalar.first->quantize_symmetric(values, 1, count, codes, scale);
}

void QuantizeRowAsymmetric(const float* values, size_t count, int8_t* codes, float* scale,
                           int32_t* zero_point) {
  kernels::rows_f32::kScalar.first->quantize_asymmetric(values, 1, count, codes, scale, zero_point);
}

}  // namespace lowbit::program::steps
