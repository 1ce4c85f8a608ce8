// IEEE 754 binary16 as 16 bits, to and from float.
#pragma once

#include <cstdint>
#include <cstring>

namespace lowbit {

inline float FloatOfHalf(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 31, fraction = half & 0x3FF;
  uint32_t bits;
  if (exponent == 31) {
    bits = sign | 0x7F800000 | fraction << 13;
  } else if (exponent) {
    bits = sign | (exponent + 112) << 23 | fraction << 13;
  } else {
    // Below the smallest normal number: fraction * 2^-24, exact in float.
    const float tiny = static_cast<float>(fraction) * (1.0f / (1 << 24));
    std::memcpy(&bits, &tiny, sizeof bits);
    bits |= sign;
  }
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// To nearest, halves to even; beyond the largest it becomes infinity, NaN stays NaN.
inline uint16_t HalfOfFloat(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  bits &= 0x7FFFFFFF;
  if (bits > 0x7F800000) return sign | 0x7E00;
  if (bits >= 0x477FF000) return sign | 0x7C00;  // 65520 and more
  // Normal numbers lose 13 bits of their fraction, smaller ones more.
  const int exponent = static_cast<int>(bits >> 23);
  const int lost = exponent >= 113 ? 13 : exponent >= 102 ? 126 - exponent : 25;
  const uint32_t mantissa = exponent >= 113 ? bits - (112u << 23) : (bits & 0x7FFFFF) | 0x800000;
  if (lost == 25) return sign;
  const uint32_t kept = mantissa >> lost, rest = mantissa & ((1u << lost) - 1), half = 1u << (lost - 1);
  return static_cast<uint16_t>(sign | (kept + (rest > half || (rest == half && (kept & 1)) ? 1 : 0)));
}

}  // namespace lowbit
