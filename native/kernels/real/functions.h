// Functions of float32 vectors, written once for every width. For inclusion by kernel files after their own
// vector (avx2.h or avx512vnni.h of this folder), whose operations round alike: all widths give the same
// bits, but for Exp2 below the smallest normal number.
//
// Vector: F (lanes), kWidth, and static operations as named below. Min and Max return the second operand
// where one is NaN or both are zero, so that a bound that stands first lets NaN through.
#pragma once

namespace lowbit::kernels::real {
namespace {

// e^x: x = n ln 2 + r, |r| <= 0.35; e^r = 1 + r + r^2 p(r), p fitted to relative error 2^-28. Two roundings
// more: within 2 units in the last place, also where the result is subnormal.
template <typename V>
inline typename V::F Exp(typename V::F x) {
  using F = typename V::F;
  const F held = V::Max(V::Set(-104.0f), V::Min(V::Set(89.0f), x));
  const F n = V::Round(V::Mul(held, V::Set(1.44269504f)));
  // ln 2 in two parts, the first of 15 bits: its product with n is exact.
  const F r = V::NegMulAdd(n, V::Set(-2.12194440e-4f), V::NegMulAdd(n, V::Set(0.693359375f), held));
  F p = V::MulAdd(V::Set(0.0013814467f), r, V::Set(0.0083687808f));
  p = V::MulAdd(p, r, V::Set(0.0416683927f));
  p = V::MulAdd(p, r, V::Set(0.166665196f));
  p = V::MulAdd(p, r, V::Set(0.49999994f));
  p = V::Add(V::MulAdd(p, V::Mul(r, r), r), V::Set(1.0f));
  return V::TimesPowerOf2(p, n);
}

// 2^t: t = n + f, |f| <= 1/2; 2^f by a polynomial fitted to relative error 2^-23, in pairs, so that
// few steps wait for each other. Within 2 units in the last place, for arguments that are rounded anyway; what
// is below the smallest normal number may become anything from 0 up to it, and is 0 far below.
template <typename V>
inline typename V::F Exp2(typename V::F t) {
  using F = typename V::F;
  const F held = V::Max(V::Set(V::kNoPower), V::Min(V::Set(128.0f), t));
  const F n = V::Round(held), f = V::Sub(held, n), square = V::Mul(f, f);
  const F low = V::MulAdd(V::Set(0.693147004f), f, V::Set(1.0f));
  const F middle = V::MulAdd(V::Set(0.0555073358f), f, V::Set(0.240222424f));
  const F high = V::MulAdd(V::Set(0.00132647273f), f, V::Set(0.00967151299f));
  return V::TimesNormalPowerOf2(V::MulAdd(square, V::MulAdd(square, high, middle), low), n);
}

// The reference's logistic (internal/reference/logistic.h): e^x below -9. By e^-|x|, which cannot overflow.
template <typename V>
inline typename V::F Logistic(typename V::F x) {
  using F = typename V::F;
  const F one = V::Set(1.0f), e = Exp<V>(V::Sub(V::Set(0.0f), V::Abs(x)));
  const auto is_negative = V::Less(x, V::Set(0.0f));
  const F share = V::Div(V::Select(is_negative, e, one), V::Add(one, e));
  return V::Select(V::Less(x, V::Set(-9.0f)), e, share);
}

// Near 0 by x + x^3 p(x^2), fitted to relative error 2^-27, else 1 - 2 / (e^(2|x|) + 1): within 4 units in
// the last place.
template <typename V>
inline typename V::F Tanh(typename V::F x) {
  using F = typename V::F;
  const F size = V::Abs(x), z = V::Mul(x, x), one = V::Set(1.0f);
  F p = V::MulAdd(V::Set(-0.00571704470f), z, V::Set(0.0206505861f));
  p = V::MulAdd(p, z, V::Set(-0.0537434965f));
  p = V::MulAdd(p, z, V::Set(0.133314908f));
  p = V::MulAdd(p, z, V::Set(-0.333332837f));
  const F near = V::MulAdd(V::Mul(p, z), x, x);
  const F rest = V::Div(V::Set(2.0f), V::Add(Exp<V>(V::Add(size, size)), one));
  return V::Select(V::Less(size, V::Set(0.625f)), near, V::CopySign(V::Sub(one, rest), x));
}

// x / 2 * (1 + tanh u) with u = sqrt(2 / pi) (x + 0.044715 x^3): that is x / (1 + e^-2u), without the
// cancellation of the sum. The factors hold -2 sqrt(2 / pi) / ln 2.
template <typename V>
inline typename V::F GeluTanh(typename V::F x) {
  using F = typename V::F;
  const F slope = V::MulAdd(V::Mul(x, x), V::Set(-0.102943240f), V::Set(-2.30220819f));
  return V::Div(x, V::Add(V::Set(1.0f), Exp2<V>(V::Mul(x, slope))));
}

}  // namespace
}  // namespace lowbit::kernels::real
