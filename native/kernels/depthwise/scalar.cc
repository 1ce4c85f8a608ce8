// Depthwise convolution in plain C++: the oracle of the other kernels, and the baseline of any processor.
#include "kernels/depthwise/scalar.h"

#include "kernels/depthwise/pack.h"
#include "kernels/requantize/scalar.h"

namespace lowbit::kernels::depthwise {

namespace {

void Run(const Call& call, const Channels& channels, const Output& output) noexcept {
  const size_t pairs = PairCount(call.tap_count);
  for (size_t pixel = 0; pixel < call.pixels; ++pixel) {
    const int8_t* const* taps = call.taps + pixel * call.tap_count;
    int8_t* out = call.out + static_cast<ptrdiff_t>(pixel) * call.out_stride;
    for (size_t block = 0; block < BlockCount(call.channels); ++block) {
      const size_t start = BlockStart(block, call.channels);
      const int16_t* weights = static_cast<const int16_t*>(call.packed) + block * pairs * kLanes * 2;
      for (size_t lane = 0; lane < kLanes && start + lane < call.channels; ++lane) {
        uint32_t acc = 0;  // unsigned: sums wrap
        for (size_t t = 0; t < call.tap_count; ++t) {
          const int8_t code = static_cast<int8_t>(static_cast<uint8_t>(taps[t][start + lane]) ^ call.flip);
          acc += static_cast<uint32_t>(code * weights[(t / 2 * kLanes + lane) * 2 + t % 2]);
        }
        out[start + lane] = Requantize(static_cast<int32_t>(acc), channels, block * kLanes + lane, output);
      }
    }
  }
}

constexpr Row kList[] = {{"depthwise.s8s8.scalar", cpu::kScalar, Run, &kPairs}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise
