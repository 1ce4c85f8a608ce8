// What recurrent steps on float32 share: activations, vectors and matrices. Weights are float32, or int8 with
// vectors that are quantised row by row.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/aligned_buffer.h"
#include "program/step.h"
#include "program/steps/quantize_rows.h"

namespace lowbit::program::steps::recurrent {

inline float Logistic(float x) { return 1.0f / (1.0f + std::exp(-x)); }

// `activation`: number of the schema's ActivationFunctionType, 0 to 4.
inline float Activate(int activation, float x) {
  switch (activation) {
    case 1:
      return std::max(0.0f, x);
    case 2:
      return std::min(1.0f, std::max(-1.0f, x));
    case 3:
      return std::min(6.0f, std::max(0.0f, x));
    case 4:
      return std::tanh(x);
    default:
      return x;
  }
}

// A vector as the two kinds of weights take it.
struct Vector {
  const float* reals;
  const int16_t* codes;  // for int8 weights
  float scale;
  int32_t zero_point;
};

// How vectors are prepared for the weights; `codes` for int8 weights.
struct Preparation {
  bool has_codes = false, is_asymmetric = false;

  static constexpr size_t kCodeBytes = 4;  // scratch for an element: int8 first, then int16

  // The vector, its codes in the free bytes, which it takes.
  Vector Of(const float* values, size_t count, int8_t** free_bytes) const {
    if (!has_codes) return {values, nullptr, 1, 0};
    Vector v{values, nullptr, 1, 0};
    int16_t* const codes = reinterpret_cast<int16_t*>(*free_bytes);
    int8_t* const narrow = *free_bytes + 2 * count;
    *free_bytes += kCodeBytes * count;
    if (is_asymmetric)
      QuantizeRowAsymmetric(values, count, narrow, &v.scale, &v.zero_point);
    else
      QuantizeRowSymmetric(values, count, narrow, &v.scale);
    std::copy_n(narrow, count, codes);
    v.codes = codes;
    return v;
  }
};

struct Matrix {
  AlignedBuffer weights, sums;  // float32; or codes as int16, and the sums of their rows
  float scale = 0;              // of codes
  size_t rows = 0, cols = 0;

  bool Pack(const Tensor& from, bool has_codes, float weight_scale) {
    rows = static_cast<size_t>(from.dims[0]);
    cols = static_cast<size_t>(from.dims[1]);
    scale = weight_scale;
    if (!has_codes) {
      if (!weights.Allocate(rows * cols * sizeof(float))) return false;
      if (from.bytes) std::memcpy(weights.data(), from.constant, from.bytes);
      return true;
    }
    if (!weights.Allocate(rows * cols * sizeof(int16_t)) || !sums.Allocate(rows * sizeof(int32_t)))
      return false;
    const int8_t* codes = reinterpret_cast<const int8_t*>(from.constant);
    for (size_t i = 0; i < rows * cols; ++i) {
      weights.as<int16_t>()[i] = codes[i];
      sums.as<int32_t>()[i / cols] += codes[i];
    }
    return true;
  }

  // The product of row r with a vector.
  float Row(size_t row, const Vector& v) const {
    if (v.codes) {
      const int16_t* const w = weights.as<int16_t>() + row * cols;
      int32_t sum = 0;
      for (size_t i = 0; i < cols; ++i) sum += int32_t{w[i]} * v.codes[i];
      return static_cast<float>(sum - v.zero_point * sums.as<int32_t>()[row]) * (v.scale * scale);
    }
    const float* const w = weights.as<float>() + row * cols;
    constexpr size_t kLanes = 8;
    float lanes[kLanes] = {}, rest = 0;
    size_t i = 0;
    for (; i + kLanes <= cols; i += kLanes)
      for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += w[i + lane] * v.reals[i + lane];
    for (; i < cols; ++i) rest += w[i] * v.reals[i];
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7])) +
           rest;
  }
};

}  // namespace lowbit::program::steps::recurrent
