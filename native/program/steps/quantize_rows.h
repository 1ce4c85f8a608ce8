// Quantisation of float activations while running ("dynamic range"): each row finds its own scale.
//
// Source: TFLite, kernels/internal/optimized/neon_tensor_utils.cc: NeonSymmetricQuantizeFloats,
// NeonAsymmetricQuantizeFloats, which its reference kernels use on x86 and ARM; the portable ones round the
// sum with the zero point instead, which differs in ties.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lowbit::program::steps {

// real = scale * (code - zero_point); codes of a row of zeros are 0 with scale 1. NaN and infinities give
// unspecified codes.
void QuantizeRowSymmetric(const float* values, size_t count, int8_t* codes, float* scale);
void QuantizeRowAsymmetric(const float* values, size_t count, int8_t* codes, float* scale,
                           int32_t* zero_point);

}  // namespace lowbit::program::steps
