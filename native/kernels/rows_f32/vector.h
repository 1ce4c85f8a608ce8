// Rows of float32 over whole vectors, for inclusion by the files of instruction sets after their vector
// (kernels/real).
//
// Rounding of codes: x + 0.5 with the sign of x, cut off, as in scalar.cc.
#pragma once

#include <math.h>
#include <string.h>

#include "kernels/real/functions.h"
#include "kernels/rows_f32/affine.h"
#include "kernels/rows_f32/contract.h"

namespace lowbit::kernels::rows_f32 {
namespace {

// Folds all vectors of a row, each as `read` gives it, into four accumulators; lanes beyond the end count as
// `none`.
template <typename V, typename Read, typename Fold, typename Join>
inline typename V::F Gather(const float* row, size_t count, typename V::F none, const Read& read,
                            const Fold& fold, const Join& join) {
  typename V::F all[4] = {none, none, none, none};
  constexpr size_t w = V::kWidth;
  size_t i = 0;
  for (; i + 4 * w <= count; i += 4 * w) {
    for (size_t k = 0; k < 4; ++k) all[k] = fold(all[k], read(V::Load(row + i + k * w)));
  }
  for (; i + w <= count; i += w) all[0] = fold(all[0], read(V::Load(row + i)));
  if (const size_t left = count - i) {
    all[1] = fold(all[1], V::KeepFirst(left, read(V::LoadFirst(row + i, left)), none));
  }
  return join(join(all[0], all[1]), join(all[2], all[3]));
}

template <typename V, typename Fold, typename Join>
inline typename V::F Gather(const float* row, size_t count, typename V::F none, const Fold& fold,
                            const Join& join) {
  return Gather<V>(
      row, count, none, [](typename V::F x) { return x; }, fold, join);
}

// The sum of what `read` gives.
template <typename V, typename Read>
inline float TotalOf(const float* row, size_t count, const Read& read) {
  const auto add = [](typename V::F a, typename V::F b) { return V::Add(a, b); };
  return V::Total(Gather<V>(row, count, V::Set(0.0f), read, add, add));
}

template <typename V>
float Total(const float* row, size_t count) {
  return TotalOf<V>(row, count, [](typename V::F x) { return x; });
}

// Rows that pass together, so that what ends a row runs beside the next one; as many as stay in the first-level
// cache.
constexpr size_t kRowsAtOnce = 8;
inline size_t RowsTogether(size_t depth) {
  constexpr size_t kCached = 4096;
  const size_t rows = kCached / (depth + 1);
  return rows < 1 ? 1 : rows < kRowsAtOnce ? rows : kRowsAtOnce;
}

// One row with the factor r = 1 / sqrt(variance + epsilon).
template <typename V, bool kBeta>
inline void NormalizeRow(const float* row, size_t count, float mean, float r, const LayerNorm& norm,
                         float* out) {
  using F = typename V::F;
  const F factor = V::Set(r), away = V::Set(-mean);
  const auto of = [&](F x, F gamma, F beta) {
    const F g = V::Mul(factor, gamma);
    F shift = V::Mul(away, g);
    if (kBeta) shift = V::Add(shift, beta);
    return V::Add(V::Mul(x, g), shift);
  };
  size_t i = 0;
  for (; i + V::kWidth <= count; i += V::kWidth) {
    V::Store(out + i, of(V::Load(row + i), V::Load(norm.gamma + i), V::Load((kBeta ? norm.beta : row) + i)));
  }
  if (const size_t left = count - i) {
    const F beta = V::LoadFirst((kBeta ? norm.beta : row) + i, left);
    V::StoreFirst(out + i, left, of(V::LoadFirst(row + i, left), V::LoadFirst(norm.gamma + i, left), beta));
  }
}

template <typename V>
inline float Variance(const float* row, size_t count, float mean) {
  const typename V::F middle = V::Set(mean);
  const auto square = [&](typename V::F x) {
    const typename V::F difference = V::Sub(x, middle);
    return V::Mul(difference, difference);
  };
  return TotalOf<V>(row, count, square) / static_cast<float>(count);
}

template <typename V>
void NormalizeRows(const float* values, size_t rows, size_t depth, const LayerNorm& norm, float* out) {
  const auto store = norm.beta ? NormalizeRow<V, true> : NormalizeRow<V, false>;
  const size_t at_once = RowsTogether(depth);
  for (size_t first = 0; first < rows; first += at_once) {
    const size_t count = rows - first < at_once ? rows - first : at_once;
    float means[kRowsAtOnce], factors[kRowsAtOnce];
    for (size_t i = 0; i < count; ++i) {
      means[i] = Total<V>(values + i * depth, depth) / static_cast<float>(depth);
    }
    for (size_t i = 0; i < count; ++i) {
      factors[i] = 1.0f / sqrtf(Variance<V>(values + i * depth, depth, means[i]) + norm.epsilon);
    }
    for (size_t i = 0; i < count; ++i) {
      store(values + i * depth, depth, means[i], factors[i], norm, out + i * depth);
    }
    values += count * depth;
    out += count * depth;
  }
}

// out[i] = 2^(factor (row[i] - most)); gives the sum of these.
template <typename V>
inline float Powers(const float* row, size_t count, float most, typename V::F factor, float* out) {
  using F = typename V::F;
  constexpr size_t w = V::kWidth;
  const F best = V::Set(most);
  const auto power = [&](F x) { return real::Exp2<V>(V::Mul(V::Sub(x, best), factor)); };
  F sum[2] = {V::Set(0.0f), V::Set(0.0f)};
  const auto whole = [&](size_t i, F* total) {
    const F e = power(V::Load(row + i));
    V::Store(out + i, e);
    *total = V::Add(*total, e);
  };
  size_t i = 0;
  for (; i + 2 * w <= count; i += 2 * w) {
    whole(i, &sum[0]);
    whole(i + w, &sum[1]);
  }
  for (; i + w <= count; i += w) whole(i, &sum[0]);
  if (const size_t left = count - i) {
    const F e = power(V::LoadFirst(row + i, left));
    V::StoreFirst(out + i, left, e);
    sum[1] = V::Add(sum[1], V::KeepFirst(left, e, V::Set(0.0f)));
  }
  return V::Total(V::Add(sum[0], sum[1]));
}

template <typename V>
inline void Scale(float* row, size_t count, float by) {
  const typename V::F factor = V::Set(by);
  size_t i = 0;
  for (; i + V::kWidth <= count; i += V::kWidth) V::Store(row + i, V::Mul(V::Load(row + i), factor));
  if (const size_t left = count - i)
    V::StoreFirst(row + i, left, V::Mul(V::LoadFirst(row + i, left), factor));
}

template <typename V>
void SoftmaxOf(const float* values, size_t rows, size_t depth, float beta, float* out) {
  using F = typename V::F;
  // NaN is passed over, as in std::max(best, NaN).
  const auto larger = [](F best, F x) { return V::Max(x, best); };
  const F factor = V::Set(beta * 1.44269504f);  // powers of 2
  const size_t at_once = RowsTogether(depth);
  for (size_t first = 0; first < rows; first += at_once) {
    const size_t count = rows - first < at_once ? rows - first : at_once;
    float at[kRowsAtOnce];  // the largest entry of each row, then the sum of its powers
    for (size_t i = 0; i < count; ++i) {
      at[i] = V::Most(Gather<V>(values + i * depth, depth, V::Set(-3.40282347e+38f), larger, larger));
    }
    for (size_t i = 0; i < count; ++i) {
      at[i] = Powers<V>(values + i * depth, depth, at[i], factor, out + i * depth);
    }
    for (size_t i = 0; i < count; ++i) Scale<V>(out + i * depth, depth, 1.0f / at[i]);
    values += count * depth;
    out += count * depth;
  }
}

// Stores the codes of row[i] * inverse + offset. With kHeld the products are held to [-limit, limit] first: an
// infinite factor has made infinities of them, and NaN of zeros.
template <typename V, bool kHeld>
inline void StoreCodes(const float* row, size_t count, float inverse, float limit, int32_t offset,
                       int8_t* codes) {
  using F = typename V::F;
  const F factor = V::Set(inverse), most = V::Set(limit), half = V::Set(0.5f);
  const auto code = [&](F x) {
    F product = V::Mul(x, factor);
    if (kHeld) product = V::Max(V::Negate(most), V::Min(product, most));
    return V::Add(product, V::CopySign(half, product));
  };
  constexpr size_t w = V::kWidth;
  size_t i = 0;
  for (; i + 4 * w <= count; i += 4 * w) {
    const float* from = row + i;
    V::StoreCodes4(codes + i, code(V::Load(from)), code(V::Load(from + w)), code(V::Load(from + 2 * w)),
                   code(V::Load(from + 3 * w)), offset);
  }
  for (; i + w <= count; i += w) V::StoreCodes(codes + i, code(V::Load(row + i)), offset);
  if (const size_t left = count - i) {
    int8_t rest[V::kWidth];
    V::StoreCodes(rest, code(V::LoadFirst(row + i, left)), offset);
    memcpy(codes + i, rest, left);
  }
}

constexpr float kFinite = 3.40282347e+38f;

// The ranges of kRowsAtOnce rows are found before any of them is stored: their divisions then run beside each
// other.

// Finite products lie in [-127.1, 127.1]: their codes need no clamp.
template <typename V>
void Symmetric(const float* values, size_t rows, size_t depth, int8_t* codes, float* scales) {
  using F = typename V::F;
  const auto fold = [](F range, F x) { return V::Max(V::Abs(x), range); };
  const auto join = [](F a, F b) { return V::Max(a, b); };
  for (size_t first = 0; first < rows; first += kRowsAtOnce) {
    const size_t count = rows - first < kRowsAtOnce ? rows - first : kRowsAtOnce;
    float inverses[kRowsAtOnce];
    for (size_t i = 0; i < count; ++i) {
      const float range = V::Most(Gather<V>(values + i * depth, depth, V::Set(0.0f), fold, join));
      scales[i] = range > 0 ? range / 127 : 1;
      inverses[i] = range > 0 ? 127 / range : 0;
    }
    for (size_t i = 0; i < count; ++i, values += depth, codes += depth) {
      const auto store = inverses[i] <= kFinite ? StoreCodes<V, false> : StoreCodes<V, true>;
      store(values, depth, inverses[i], 127, 0, codes);
    }
    scales += count;
  }
}

// The largest entry and the largest negated entry of a row with a zero added.
template <typename V>
inline void Ends(const float* row, size_t count, float* most, float* most_negated) {
  using F = typename V::F;
  constexpr size_t w = V::kWidth;
  const F zero = V::Set(0.0f);
  F up[4] = {zero, zero, zero, zero}, down[4] = {zero, zero, zero, zero};
  const auto fold = [&](size_t k, F x) {
    up[k] = V::Max(x, up[k]);
    down[k] = V::Min(x, down[k]);
  };
  size_t i = 0;
  for (; i + 4 * w <= count; i += 4 * w) {
    for (size_t k = 0; k < 4; ++k) fold(k, V::Load(row + i + k * w));
  }
  for (; i + w <= count; i += w) fold(0, V::Load(row + i));
  if (const size_t left = count - i) fold(1, V::LoadFirst(row + i, left));
  *most = V::Most(V::Max(V::Max(up[0], up[1]), V::Max(up[2], up[3])));
  *most_negated = V::Most(V::Negate(V::Min(V::Min(down[0], down[1]), V::Min(down[2], down[3]))));
}

// The store saturates to int8, which is the clamp.
template <typename V>
void Asymmetric(const float* values, size_t rows, size_t depth, int8_t* codes, float* scales,
                int32_t* zero_points) {
  for (size_t first = 0; first < rows; first += kRowsAtOnce) {
    const size_t count = rows - first < kRowsAtOnce ? rows - first : kRowsAtOnce;
    float inverses[kRowsAtOnce];
    for (size_t i = 0; i < count; ++i) {
      float most, most_negated;
      Ends<V>(values + i * depth, depth, &most, &most_negated);
      const bool is_zero = !(-most_negated < most);
      const Affine to = is_zero ? Affine{1, 0} : AffineOf(-most_negated, most);
      scales[i] = to.scale;
      zero_points[i] = to.zero_point;
      inverses[i] = is_zero ? 0 : 1.0f / to.scale;
    }
    for (size_t i = 0; i < count; ++i, values += depth, codes += depth) {
      const auto store = inverses[i] <= kFinite ? StoreCodes<V, false> : StoreCodes<V, true>;
      store(values, depth, inverses[i], 512, zero_points[i], codes);
    }
    scales += count;
    zero_points += count;
  }
}

}  // namespace
}  // namespace lowbit::kernels::rows_f32
