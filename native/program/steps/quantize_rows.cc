// Quantises rows of float activations.
#include "program/steps/quantize_rows.h"

#include "kernels/rows_f32/scalar.h"

namespace lowbit::program::steps {

void QuantizeRows(const kernels::rows_f32::Row& row, bool is_asymmetric, const float* values, size_t rows,
                  size_t depth, int8_t* codes, float* scales, int32_t* zero_points) {
  for (size_t i = 0; i < rows; ++i, values += depth, codes += depth) {
    zero_points[i] = 0;
    if (is_asymmetric) {
      row.quantize_asymmetric(values, depth, codes, scales + i, zero_points + i);
    } else {
      row.quantize_symmetric(values, depth, codes, scales + i);
    }
  }
}

void QuantizeRowSymmetric(const float* values, size_t count, int8_t* codes, float* scale) {
  kernels::rows_f32::kScalar.first->quantize_symmetric(values, count, codes, scale);
}

void QuantizeRowAsymmetric(const float* values, size_t count, int8_t* codes, float* scale,
                           int32_t* zero_point) {
  kernels::rows_f32::kScalar.first->quantize_asymmetric(values, count, codes, scale, zero_point);
}

}  // namespace lowbit::program::steps
