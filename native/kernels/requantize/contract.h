// Per-channel constants of the step from int32 accumulators to int8 codes, for gemm and depthwise kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lowbit::kernels {

// How a scaled accumulator becomes an integer.
enum class Rounding : uint8_t {
  // MultiplyByQuantizedMultiplier(x, multiplier, left - right): a fixed-point factor and two roundings,
  // TFLite's default (convolutions).
  kTwice,
  // round(x * scale) in double precision, halves away from zero (the reference's fully connected layers).
  kOnce,
};

// How vector kernels compute it. The folded form is there where every channel has left = 0, right >= 1 and
// |acc + bias| + 2^(right - 1) + |zero_point| * 2^right < 2^31, so that adding the second rounding and the zero
// point first cannot leave int32; for kOnce where it was found to be exact.
enum class Form : uint8_t {
  kLiteral,  // as Rounding says
  kSigned,   // folded, and what depends on the sign of x is added apart
  kPlain,    // folded, and the sign does not matter: codes of all x < 0 are clamped (fused ReLU), or kOnce
};

// Constants of the folded form, code = floor((SRDHM(x, m) + 2^(e-1) - [x < 0]) / 2^e) + zero_point with
// x = acc + bias, m the multiplier and e = right. Exact because SRDHM(x, m) = floor((x * m + 2^30) / 2^31) and
// RoundingDivideByPOT(r, e) = (r + 2^(e-1) - [r < 0]) >> e; the sign of x serves for the sign of r: they differ
// only where r = 0, and there both give 0.
//
// With u = x + 2^31, unsigned: the upper half of u * 2m + addend is SRDHM(x, m) + 2^(e-1) - 1 + zero_point * 2^e,
// modulo 2^32, and u >> 31 is 1 - [x < 0]. So code = (upper + (u >> 31)) >> e, an arithmetic shift.
//
// kPlain has that 1 in the addend, for x < 0 too: their codes come out as zero_point at most, which is not above
// `low`, the least code there may be.
//
// kOnce takes the same form with a finer factor: m in [2^31, 2^32) stands for 2m, and with u = x + 3 * 2^30, for
// |x| < 2^30, the sign does not matter: code = floor((m * x + half) / 2^(32+e)) + zero_point, with a half of about
// 2^(31+e) for which every place where the code changes is the reference's (PackOnce).
struct Folded {
  const int32_t* bias;         // bias + 2^31, modulo 2^32; kOnce: bias + 3 * 2^30
  const uint32_t* multiplier;  // 2m; kOnce: m
  // 2^31 + 2^(e+31) + zero_point * 2^(e+32) - (m + 1) * 2^32, modulo 2^64; kPlain: 2^32 more. Of each eight channels first the four
  // even ones, then the four odd ones: the order in which 64-bit products of 32-bit lanes arise.
  // kOnce: half + zero_point * 2^(32+e) - m * 3 * 2^30.
  const int64_t* addend;
};

// Arrays hold one entry a channel and are zero-padded to a multiple of kChannelPadding. A code is
//   clamp(rounded((acc + bias) * factor) + zero_point, low, high).
struct Channels {
  const int32_t* bias;        // with the zero-point correction folded in
  const int32_t* multiplier;  // Q31 mantissa in [2^30, 2^31), or 0
  const int32_t* left;        // shift before the multiplication, [0, 30]
  const int32_t* right;       // shift after it, [0, 31]
  const double* scale;        // for kOnce; null otherwise
  Rounding rounding;
  Form form;
  Folded folded;  // null if form is kLiteral
};

constexpr int kChannelPadding = 16;

// Codes as int8. uint8 tensors are handled as int8: stored byte = code ^ flip with flip = 0x80, and all zero
// points and bounds less 128.
struct Output {
  int32_t zero_point, low, high;  // [-128, 127]; low and high carry the fused activation
  uint8_t flip;
};

}  // namespace lowbit::kernels
