// Packs depthwise weights.
#include "kernels/depthwise/pack.h"

namespace lowbit::kernels::depthwise {

void Pack(const int16_t* weights, size_t taps, size_t channels, uint8_t* packed) {
  const size_t pairs = PairCount(taps);
  int16_t* out = reinterpret_cast<int16_t*>(packed);
  for (size_t block = 0; block < BlockCount(channels); ++block) {
    const size_t start = BlockStart(block, channels);
    for (size_t tap = 0; tap < taps; ++tap) {
      for (size_t lane = 0; lane < kLanes && start + lane < channels; ++lane) {
        out[((block * pairs + tap / 2) * kLanes + lane) * 2 + tap % 2] =
            weights[tap * channels + start + lane];
      }
    }
  }
}

}  // namespace lowbit::kernels::depthwise
