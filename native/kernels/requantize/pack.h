// Makes the per-channel constants of contract.h from what a program says.
#pragma once

#include "base/aligned_buffer.h"
#include "base/span.h"
#include "kernels/requantize/contract.h"

namespace lowbit::kernels {

class PackedChannels {
 public:
  // For Rounding::kTwice. bias, multiplier, shift (TFLite's: positive = left) and
  // bound: `count` entries each. bound[c] is at least |acc + bias| for every input the layer can meet. Shifts
  // are in [-31, 30]. Kernels must be called with the same `output`. False when memory runs out.
  bool Pack(size_t count, const int32_t* bias, const int32_t* multiplier, const int32_t* shift,
            const int64_t* bound, const Output& output);
  // For Rounding::kOnce: a real factor a channel, each finite and >= 0. The folded form is there where it was
  // found to give the same codes.
  bool PackOnce(size_t count, const int32_t* bias, const double* scale, const int64_t* bound,
                const Output& output);

  // What an entry takes.
  static constexpr size_t kEntryBytes = 6 * sizeof(int32_t) + sizeof(int64_t);
  static constexpr size_t kOnceEntryBytes = 4 * sizeof(int32_t) + sizeof(double) + sizeof(int64_t);

  const Channels& channels() const { return channels_; }
  size_t bytes() const { return memory_.size(); }

 private:
  AlignedBuffer memory_;
  Channels channels_{};
};

}  // namespace lowbit::kernels
