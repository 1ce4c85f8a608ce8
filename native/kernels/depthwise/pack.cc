// Packs depthwise weights.
#include "kernels/depthwise/pack.h"

namespace lowbit::kernels::depthwise {

namespace {

bool AllFit(const int16_t*, size_t) { return true; }
size_t PairBytes(size_t taps, size_t channels) {
  return BlockCount(channels) * PairCount(taps) * kLanes * 2 * sizeof(int16_t);
}
void PackPairs(const int16_t* weights, size_t taps, size_t channels, void* packed) {
  const size_t pairs = PairCount(taps);
  int16_t* out = static_cast<int16_t*>(packed);
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
size_t PairEntries(size_t channels) { return BlockCount(channels) * kLanes; }
size_t PairChannelOf(size_t entry, size_t channels) {
  const size_t channel = BlockStart(entry / kLanes, channels) + entry % kLanes;
  return channel < channels ? channel : SIZE_MAX;
}

bool FitBytes(const int16_t* weights, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (weights[i] < -128 || weights[i] > 127) return false;
  }
  return true;
}
size_t QuadBlocks(size_t channels) { return (channels + kQuadBlock - 1) / kQuadBlock; }
size_t QuadBytes(size_t taps, size_t channels) {
  return QuadBlocks(channels) * QuadCount(taps) * kQuadBlock * 4;
}
// The channel of place (j, lane, e) in a block.
size_t QuadChannel(size_t place) { return place / 4 % 4 * 16 + place / 16 * 4 + place % 4; }
void PackQuads(const int16_t* weights, size_t taps, size_t channels, void* packed) {
  int8_t* out = static_cast<int8_t*>(packed);
  for (size_t block = 0; block < QuadBlocks(channels); ++block) {
    for (size_t quad = 0; quad < QuadCount(taps); ++quad) {
      for (size_t place = 0; place < kQuadBlock; ++place) {
        const size_t channel = block * kQuadBlock + QuadChannel(place);
        for (size_t i = 0; i < 4; ++i, ++out) {
          const size_t tap = quad * 4 + i;
          if (tap < taps && channel < channels) *out = static_cast<int8_t>(weights[tap * channels + channel]);
        }
      }
    }
  }
}
size_t QuadEntries(size_t channels) { return QuadBlocks(channels) * kQuadBlock; }
size_t QuadChannelOf(size_t entry, size_t channels) {
  const size_t channel = entry / kQuadBlock * kQuadBlock + QuadChannel(entry % kQuadBlock);
  return channel < channels ? channel : SIZE_MAX;
}

bool FitSymmetric(const int16_t* weights, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (weights[i] < -127 || weights[i] > 127) return false;
  }
  return true;
}
template <typename T>
size_t TapBytes(size_t taps, size_t channels) {
  return BlockCount(channels) * taps * kLanes * sizeof(T);
}
template <typename T>
void PackTaps(const int16_t* weights, size_t taps, size_t channels, void* packed) {
  T* out = static_cast<T*>(packed);
  for (size_t block = 0; block < BlockCount(channels); ++block) {
    const size_t start = BlockStart(block, channels);
    for (size_t tap = 0; tap < taps; ++tap, out += kLanes) {
      for (size_t lane = 0; lane < kLanes && start + lane < channels; ++lane)
        out[lane] = static_cast<T>(weights[tap * channels + start + lane]);
    }
  }
}

}  // namespace

const Layout kPairs{AllFit, PairBytes, PackPairs, PairEntries, PairChannelOf, 0};
const Layout kQuads{FitBytes, QuadBytes, PackQuads, QuadEntries, QuadChannelOf, 128};
const Layout kByteTaps{FitSymmetric, TapBytes<int8_t>, PackTaps<int8_t>, PairEntries, PairChannelOf, 0};
const Layout kWordTaps{AllFit, TapBytes<int16_t>, PackTaps<int16_t>, PairEntries, PairChannelOf, 0};

}  // namespace lowbit::kernels::depthwise
