// Lays the per-channel constants out in one block.
#include "kernels/requantize/pack.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/requantize/scalar.h"

namespace lowbit::kernels {

namespace {

// round(x * scale) + zero_point as floor((m * x + half) / 2^(32+e)) + zero_point, for |x| < 2^30. `half` is 2^(31+e)
// or near it: it makes up for what m, a whole number, is away from the real factor.
struct OnceFactor {
  bool found = false;
  uint32_t m = 0;
  int e = 0;
  int64_t half = 0;
};

// Whether the places where codes change lie so far from whole numbers that both forms pass them between the same two,
// with a factor rounded up and the plain half: the factors differ by less than 2^-31 of the real one, products in
// double precision by 2^-53.
bool IsFarFromWhole(double scale, int32_t zero_point) {
  const double inverse = 1 / scale;
  int near = 0;
  for (int32_t place = 0; place < 255; ++place) {
    const double x = (place - 128 - zero_point + 0.5) * inverse;  // |x| < 2^8.6 * 2^20
    const double rest = std::fabs(x - static_cast<int32_t>(x));
    const double margin = std::fabs(x) * (1.0 / (1 << 30));
    near |= static_cast<int>(rest < margin) | static_cast<int>(rest > 1 - margin);
  }
  return near == 0;
}

// Both forms rise with x, so they are the same where they go from one code to the next at the same places. Each of
// these 255 places leaves a range for `half`; false where the ranges have nothing in common.
bool FindHalf(double scale, int32_t zero_point, OnceFactor* factor) {
  int64_t least = INT64_MIN, most = INT64_MAX;
  for (int32_t below = -128 - zero_point; below < 127 - zero_point; ++below) {
    int32_t x = static_cast<int32_t>(std::floor((below + 0.5) / scale)) - 2;
    if (RoundOnce(x, scale) > below) return false;
    while (RoundOnce(x, scale) <= below) ++x;
    // m * x + half reaches the next code, m * (x - 1) + half does not.
    const int64_t from = (below + 1) * (int64_t{1} << (32 + factor->e)) - int64_t{factor->m} * x;
    least = std::max(least, from);
    most = std::min(most, from + int64_t{factor->m} - 1);
  }
  factor->half = std::min(std::max(int64_t{1} << (31 + factor->e), least), most);
  return least <= most;
}

// For factors in [2^-20, 1), and for 0: channels that are padding.
OnceFactor FoldOnce(double scale, int32_t zero_point) {
  OnceFactor factor;
  factor.found = scale == 0;
  if (!(scale >= 1.0 / (1 << 20)) || !(scale < 1)) return factor;
  factor.e = -1 - std::ilogb(scale);
  const double below = std::floor(std::ldexp(scale, 32 + factor.e));
  if (below + 1 < 4294967296.0 && IsFarFromWhole(scale, zero_point)) {
    factor.m = static_cast<uint32_t>(below + 1);
    factor.half = int64_t{1} << (31 + factor.e);
    factor.found = true;
  }
  for (double m = below + 1; m >= below && !factor.found; --m) {
    if (m >= 4294967296.0) continue;
    factor.m = static_cast<uint32_t>(m);
    factor.found = FindHalf(scale, zero_point, &factor);
  }
  return factor;
}

}  // namespace

bool PackedChannels::Pack(size_t count, const int32_t* bias, const int32_t* multiplier, const int32_t* shift,
                          const int64_t* bound, const Output& output) {
  const size_t padded = (count + kChannelPadding - 1) / kChannelPadding * kChannelPadding;
  if (!memory_.Allocate(padded * kEntryBytes)) return false;
  uint64_t* addend = memory_.as<uint64_t>();
  int32_t* biases = reinterpret_cast<int32_t*>(addend + padded);
  int32_t* multipliers = biases + padded;
  int32_t* left = multipliers + padded;
  int32_t* right = left + padded;
  int32_t* folded_bias = right + padded;
  uint32_t* doubled = reinterpret_cast<uint32_t*>(folded_bias + padded);
  // Negative sums give the zero point or less.
  const uint64_t sign = output.zero_point <= output.low ? uint64_t{1} << 32 : 0;
  bool folded = true;
  for (size_t c = 0; c < padded; ++c) {
    const bool real = c < count;
    if (real) {
      biases[c] = bias[c];
      multipliers[c] = multiplier[c];
      left[c] = shift[c] > 0 ? shift[c] : 0;
      right[c] = shift[c] > 0 ? 0 : -shift[c];
    } else {
      right[c] = 1;
    }
    const int64_t half = right[c] > 0 ? int64_t{1} << (right[c] - 1) : 0;
    const size_t paired = c / 8 * 8 + c % 2 * 4 + c % 8 / 2;
    const int64_t added = output.zero_point * (int64_t{1} << right[c]);
    if (real &&
        (left[c] > 0 || right[c] < 1 || bound[c] + half + (added < 0 ? -added : added) >= (int64_t{1} << 31)))
      folded = false;
    folded_bias[c] = static_cast<int32_t>(static_cast<uint32_t>(biases[c]) + 0x80000000u);
    doubled[c] = 2 * static_cast<uint32_t>(multipliers[c]);
    addend[paired] = (uint64_t{1} << 31) + sign + (static_cast<uint64_t>(half) << 32) +
                     (static_cast<uint64_t>(added) << 32) -
                     ((static_cast<uint64_t>(multipliers[c]) + 1) << 32);
  }
  channels_ = {biases, multipliers, left, right, nullptr, Rounding::kTwice, Form::kLiteral, {}};
  if (!folded) return true;
  channels_.form = sign ? Form::kPlain : Form::kSigned;
  channels_.folded = {folded_bias, doubled, reinterpret_cast<const int64_t*>(addend)};
  return true;
}

bool PackedChannels::PackOnce(size_t count, const int32_t* bias, const double* scale, const int64_t* bound,
                              const Output& output) {
  const size_t padded = (count + kChannelPadding - 1) / kChannelPadding * kChannelPadding;
  if (!memory_.Allocate(padded * kOnceEntryBytes)) return false;
  double* scales = memory_.as<double>();
  uint64_t* addend = reinterpret_cast<uint64_t*>(scales + padded);
  int32_t* biases = reinterpret_cast<int32_t*>(addend + padded);
  int32_t* right = biases + padded;
  int32_t* folded_bias = right + padded;
  uint32_t* multiplier = reinterpret_cast<uint32_t*>(folded_bias + padded);
  constexpr uint32_t kMiddle = 0xC0000000;
  bool folded = true;
  OnceFactor factor;
  for (size_t c = 0; c < count; ++c) {
    scales[c] = scale[c];
    biases[c] = bias[c];
    if (!folded) continue;
    if (c == 0 || scale[c] != scale[c - 1]) factor = FoldOnce(scale[c], output.zero_point);
    folded = factor.found && bound[c] < int64_t{1} << 30;
    right[c] = factor.e;
    folded_bias[c] = static_cast<int32_t>(static_cast<uint32_t>(bias[c]) + kMiddle);
    multiplier[c] = factor.m;
    const size_t paired = c / 8 * 8 + c % 2 * 4 + c % 8 / 2;
    addend[paired] = static_cast<uint64_t>(factor.half) +
                     (static_cast<uint64_t>(static_cast<int64_t>(output.zero_point)) << (32 + factor.e)) -
                     uint64_t{factor.m} * kMiddle;
  }
  channels_ = {biases, nullptr, nullptr, right, scales, Rounding::kOnce, Form::kLiteral, {}};
  if (!folded) return true;
  channels_.form = Form::kPlain;
  channels_.folded = {folded_bias, multiplier, reinterpret_cast<const int64_t*>(addend)};
  return true;
}

}  // namespace lowbit::kernels
