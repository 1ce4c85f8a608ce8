// Rows of float32 over whole vectors, for inclusion by the files of instruction sets after their vector
// (kernels/real).
//
// Rounding of codes: x + 0.5 with the sign of x, cut off, as in scalar.cc. Before, products are held to a
//         range in which that is exact and which goes beyond all codes; NaN goes to its upper end, as there.
#pragma once

#include <string.h>

#include "kernels/real/functions.h"
#include "kernels/rows_f32/affine.h"
#include "kernels/rows_f32/contract.h"

namespace lowbit::kernels::rows_f32 {
namespace {

// Folds all vectors of a row into four accumulators; lanes beyond the end count as `none`.
template <typename V, typename Fold, typename Join>
inline typename V::F Gather(const float* row, size_t count, typename V::F none, const Fold& fold,
                            const Join& join) {
  typename V::F all[4] = {none, none, none, none};
  constexpr size_t w = V::kWidth;
  size_t i = 0;
  for (; i + 4 * w <= count; i += 4 * w) {
    for (size_t k = 0; k < 4; ++k) all[k] = fold(all[k], V::Load(row + i + k * w));
  }
  for (; i + w <= count; i += w) all[0] = fold(all[0], V::Load(row + i));
  if (const size_t left = count - i) {
    all[1] = fold(all[1], V::KeepFirst(left, V::LoadFirst(row + i, left), none));
  }
  return join(join(all[0], all[1]), join(all[2], all[3]));
}

template <typename V>
float Total(const float* row, size_t count) {
  const auto add = [](typename V::F a, typename V::F b) { return V::Add(a, b); };
  return V::Total(Gather<V>(row, count, V::Set(0.0f), add, add));
}

template <typename V>
void SoftmaxOf(const float* row, size_t count, float beta, float* out) {
  using F = typename V::F;
  // NaN is passed over, as in std::max(best, NaN).
  const auto larger = [](F best, F x) { return V::Max(x, best); };
  const F best = V::Set(V::Most(Gather<V>(row, count, V::Set(-3.40282347e+38f), larger, larger)));
  const F factor = V::Set(beta);
  F sum = V::Set(0.0f);
  size_t i = 0;
  const auto power = [&](F x) { return real::Exp<V>(V::Mul(V::Sub(x, best), factor)); };
  for (; i + V::kWidth <= count; i += V::kWidth) {
    const F e = power(V::Load(row + i));
    V::Store(out + i, e);
    sum = V::Add(sum, e);
  }
  const size_t left = count - i;
  if (left) {
    const F e = power(V::LoadFirst(row + i, left));
    V::StoreFirst(out + i, left, e);
    sum = V::Add(sum, V::KeepFirst(left, e, V::Set(0.0f)));
  }
  const F share = V::Set(1.0f / V::Total(sum));
  for (i = 0; i + V::kWidth <= count; i += V::kWidth) V::Store(out + i, V::Mul(V::Load(out + i), share));
  if (left) V::StoreFirst(out + i, left, V::Mul(V::LoadFirst(out + i, left), share));
}

// Stores code(x) for all x of the row.
template <typename V, typename Code>
inline void StoreAll(const float* row, size_t count, int8_t* codes, const Code& code) {
  size_t i = 0;
  for (; i + V::kWidth <= count; i += V::kWidth) V::StoreCodes(codes + i, code(V::Load(row + i)));
  if (const size_t left = count - i) {
    int8_t rest[V::kWidth];
    V::StoreCodes(rest, code(V::LoadFirst(row + i, left)));
    memcpy(codes + i, rest, left);
  }
}

// Half away from zero, to be cut off.
template <typename V>
inline typename V::F AwayFromZero(typename V::F x) {
  return V::Add(x, V::CopySign(V::Set(0.5f), x));
}

template <typename V>
void Symmetric(const float* row, size_t count, int8_t* codes, float* scale) {
  using F = typename V::F;
  const auto fold = [](F range, F x) { return V::Max(V::Abs(x), range); };
  const auto join = [](F a, F b) { return V::Max(a, b); };
  const float range = V::Most(Gather<V>(row, count, V::Set(0.0f), fold, join));
  if (!(range > 0)) {
    memset(codes, 0, count);
    *scale = 1;
    return;
  }
  *scale = range / 127;
  const F inverse = V::Set(127 / range), most = V::Set(127.0f), least = V::Set(-127.0f);
  StoreAll<V>(row, count, codes, [&](F x) {
    return AwayFromZero<V>(V::Max(V::Min(V::Mul(x, inverse), most), least));
  });
}

template <typename V>
void Asymmetric(const float* row, size_t count, int8_t* codes, float* scale, int32_t* zero_point) {
  using F = typename V::F;
  const F zero = V::Set(0.0f);
  const auto larger = [](F best, F x) { return V::Max(x, best); };
  const auto lower = [](F below, F x) { return V::Max(V::Negate(x), below); };
  const auto join = [](F a, F b) { return V::Max(a, b); };
  const float most = V::Most(Gather<V>(row, count, zero, larger, join));
  const float least = -V::Most(Gather<V>(row, count, zero, lower, join));
  if (!(least < most)) {
    memset(codes, 0, count);
    *scale = 1;
    *zero_point = 0;
    return;
  }
  const Affine to = AffineOf(least, most);
  *scale = to.scale;
  *zero_point = to.zero_point;
  const F inverse = V::Set(1.0f / to.scale), beyond = V::Set(512.0f), 
          offset = V::Set(static_cast<float>(to.zero_point));
  const F low = V::Set(-128.0f), high = V::Set(127.0f);
  StoreAll<V>(row, count, codes, [&](F x) {
    const F held = V::Max(V::Min(V::Mul(x, inverse), beyond), V::Negate(beyond));
    return V::Max(V::Min(V::Add(V::Truncate(AwayFromZero<V>(held)), offset), high), low);
  });
}

}  // namespace
}  // namespace lowbit::kernels::rows_f32
