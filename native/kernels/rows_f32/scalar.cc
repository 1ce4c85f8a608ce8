// Rows of float32, one element at a time.
#include "kernels/rows_f32/scalar.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/rows_f32/affine.h"

namespace lowbit::kernels::rows_f32 {
namespace {

float Total(const float* row, size_t count) {
  float sum = 0;
  for (size_t i = 0; i < count; ++i) sum += row[i];
  return sum;
}

void SoftmaxRow(const float* row, size_t count, float beta, float* out) {
  float best = std::numeric_limits<float>::lowest(), sum = 0;
  for (size_t i = 0; i < count; ++i) best = std::max(best, row[i]);
  for (size_t i = 0; i < count; ++i) {
    out[i] = std::exp((row[i] - best) * beta);
    sum += out[i];
  }
  for (size_t i = 0; i < count; ++i) out[i] /= sum;
}

void NormalizeRows(const float* values, size_t rows, size_t depth, const LayerNorm& norm, float* out) {
  const float count = static_cast<float>(depth);
  for (size_t row = 0; row < rows; ++row, values += depth, out += depth) {
    const float mean = Total(values, depth) / count;
    float sum = 0;
    for (size_t i = 0; i < depth; ++i) sum += (values[i] - mean) * (values[i] - mean);
    const float r = 1 / std::sqrt(sum / count + norm.epsilon);
    for (size_t i = 0; i < depth; ++i) {
      const float g = r * norm.gamma[i], shift = -mean * g;
      out[i] = values[i] * g + (norm.beta ? shift + norm.beta[i] : shift);
    }
  }
}

void SoftmaxOf(const float* values, size_t rows, size_t depth, float beta, float* out) {
  for (size_t i = 0; i < rows; ++i) SoftmaxRow(values + i * depth, depth, beta, out + i * depth);
}

// To the nearest integer, halves away from zero, as the sum x + 0.5 in float cut off (so that the float below
// one half gives 1, as in the source's vector code); held to 2^30, where NaN goes too.
int32_t Round(float x) {
  constexpr float kBeyond = 1 << 30;
  if (!(x < kBeyond)) return 1 << 30;
  if (x <= -kBeyond) return -(1 << 30);
  return static_cast<int32_t>(x + (x < 0 ? -0.5f : 0.5f));
}

int8_t Clamp(int32_t code, int32_t low) { return static_cast<int8_t>(std::min(127, std::max(low, code))); }

void SymmetricRow(const float* row, size_t count, int8_t* codes, float* scale) {
  float range = 0;
  for (size_t i = 0; i < count; ++i) range = std::max(range, std::fabs(row[i]));
  if (!(range > 0)) {
    std::memset(codes, 0, count);
    *scale = 1;
    return;
  }
  *scale = range / 127;
  const float inverse = 127 / range;
  for (size_t i = 0; i < count; ++i) codes[i] = Clamp(Round(row[i] * inverse), -127);
}

void AsymmetricRow(const float* row, size_t count, int8_t* codes, float* scale, int32_t* zero_point) {
  float least = 0, most = 0;
  for (size_t i = 0; i < count; ++i) {
    least = std::min(least, row[i]);
    most = std::max(most, row[i]);
  }
  if (!(least < most)) {
    std::memset(codes, 0, count);
    *scale = 1;
    *zero_point = 0;
    return;
  }
  const Affine to = AffineOf(least, most);
  *scale = to.scale;
  *zero_point = to.zero_point;
  const float inverse = 1.0f / to.scale;
  for (size_t i = 0; i < count; ++i) codes[i] = Clamp(to.zero_point + Round(row[i] * inverse), -128);
}

void Symmetric(const float* values, size_t rows, size_t depth, int8_t* codes, float* scales) {
  for (size_t i = 0; i < rows; ++i) SymmetricRow(values + i * depth, depth, codes + i * depth, scales + i);
}

void Asymmetric(const float* values, size_t rows, size_t depth, int8_t* codes, float* scales,
                int32_t* zero_points) {
  for (size_t i = 0; i < rows; ++i)
    AsymmetricRow(values + i * depth, depth, codes + i * depth, scales + i, zero_points + i);
}

constexpr Row kList[] = {
    {"rows.f32.scalar", cpu::kScalar, Total, SoftmaxOf, NormalizeRows, Symmetric, Asymmetric}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::rows_f32
