// Lays the per-channel constants out in one block.
#include "kernels/requantize/pack.h"

#include <cstring>

namespace lowbit::kernels {

bool PackedChannels::Pack(size_t count, const int32_t* bias, const int32_t* multiplier, const int32_t* shift,
                          const int64_t* bound, int32_t zero_point) {
  const size_t padded = (count + kChannelPadding - 1) / kChannelPadding * kChannelPadding;
  if (!memory_.Allocate(padded * kEntryBytes)) return false;
  uint64_t* addend = memory_.as<uint64_t>();
  int32_t* biases = reinterpret_cast<int32_t*>(addend + padded);
  int32_t* multipliers = biases + padded;
  int32_t* left = multipliers + padded;
  int32_t* right = left + padded;
  int32_t* folded_bias = right + padded;
  uint32_t* doubled = reinterpret_cast<uint32_t*>(folded_bias + padded);
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
    const int64_t added = zero_point * (int64_t{1} << right[c]);
    if (real &&
        (left[c] > 0 || right[c] < 1 || bound[c] + half + (added < 0 ? -added : added) >= (int64_t{1} << 31)))
      folded = false;
    folded_bias[c] = static_cast<int32_t>(static_cast<uint32_t>(biases[c]) + 0x80000000u);
    doubled[c] = 2 * static_cast<uint32_t>(multipliers[c]);
    addend[paired] = (uint64_t{1} << 31) + (static_cast<uint64_t>(half) << 32) +
                     (static_cast<uint64_t>(added) << 32) -
                     ((static_cast<uint64_t>(multipliers[c]) + 1) << 32);
  }
  channels_ = {biases,
               multipliers,
               left,
               right,
               nullptr,
               folded ? Rounding::kFolded : Rounding::kTwice,
               {folded_bias, doubled, reinterpret_cast<const int64_t*>(addend)}};
  return true;
}

bool PackedChannels::PackOnce(size_t count, const int32_t* bias, const double* scale) {
  const size_t padded = (count + kChannelPadding - 1) / kChannelPadding * kChannelPadding;
  if (!memory_.Allocate(padded * kOnceEntryBytes)) return false;
  double* scales = memory_.as<double>();
  int32_t* biases = reinterpret_cast<int32_t*>(scales + padded);
  for (size_t c = 0; c < count; ++c) {
    scales[c] = scale[c];
    biases[c] = bias[c];
  }
  channels_ = {biases, nullptr, nullptr, nullptr, scales, Rounding::kOnce, {}};
  return true;
}

}  // namespace lowbit::kernels
