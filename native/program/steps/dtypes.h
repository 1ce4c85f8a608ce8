// The C++ type of each dtype whose elements are whole bytes, and the choice among them while loading.
#pragma once

#include <cstdint>
#include <cstring>

#include "program/format.h"

namespace lowbit::program::steps {

struct Bool {
  uint8_t value;  // 0 is false, all else is true
};
struct Half {  // IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits
  uint16_t bits;
};
struct Bfloat {  // the upper half of a float
  uint16_t bits;
};
struct Complex {
  float real, imaginary;
};

template <typename T>
inline constexpr Dtype kDtypeOf = Dtype{-1};
template <>
inline constexpr Dtype kDtypeOf<Bool> = Dtype::kBool;
template <>
inline constexpr Dtype kDtypeOf<int8_t> = Dtype::kInt8;
template <>
inline constexpr Dtype kDtypeOf<uint8_t> = Dtype::kUint8;
template <>
inline constexpr Dtype kDtypeOf<int16_t> = Dtype::kInt16;
template <>
inline constexpr Dtype kDtypeOf<uint16_t> = Dtype::kUint16;
template <>
inline constexpr Dtype kDtypeOf<int32_t> = Dtype::kInt32;
template <>
inline constexpr Dtype kDtypeOf<uint32_t> = Dtype::kUint32;
template <>
inline constexpr Dtype kDtypeOf<int64_t> = Dtype::kInt64;
template <>
inline constexpr Dtype kDtypeOf<Half> = Dtype::kFloat16;
template <>
inline constexpr Dtype kDtypeOf<Bfloat> = Dtype::kBfloat16;
template <>
inline constexpr Dtype kDtypeOf<float> = Dtype::kFloat32;
template <>
inline constexpr Dtype kDtypeOf<double> = Dtype::kFloat64;
template <>
inline constexpr Dtype kDtypeOf<Complex> = Dtype::kComplex64;

// Calls visit(T{}) with the one of `Types` that `dtype` names; false if none does.
template <typename... Types, typename Visit>
bool VisitDtype(Dtype dtype, const Visit& visit) {
  return ((dtype == kDtypeOf<Types> && (visit(Types{}), true)) || ...);
}

}  // namespace lowbit::program::steps
