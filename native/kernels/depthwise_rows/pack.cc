// Packs the weights of small square filters.
#include "kernels/depthwise_rows/pack.h"

namespace lowbit::kernels::depthwise_rows {

namespace {

size_t FilterOf(size_t taps) { return taps == 9 ? 3 : 5; }

// The tap at place i of a group, or SIZE_MAX.
size_t TapOf(size_t filter, size_t kr, size_t group, size_t i) {
  const size_t columns = filter % kr == 1 ? filter / kr * filter : filter;
  if (group < columns) {
    const size_t ky = group / filter * kr + i;
    return ky < filter ? ky * filter + group % filter : SIZE_MAX;
  }
  const size_t last_row = (filter - 1) * filter, kx = (group - columns) * kr + i;
  if (kx < filter - 1) return last_row + kx;
  return i == kr - 1 ? last_row + filter - 1 : SIZE_MAX;
}

template <typename T, size_t kLanes>
struct Blocks {
  static constexpr size_t kKr = 4 / sizeof(T);

  static size_t PackedBytes(size_t taps, size_t channels) {
    return BlockCount(channels, kLanes) * GroupCount(FilterOf(taps), kKr) * kLanes * 4;
  }
  static void Pack(const int16_t* weights, size_t taps, size_t channels, void* packed) {
    T* out = static_cast<T*>(packed);
    const size_t filter = FilterOf(taps);
    for (size_t block = 0; block < BlockCount(channels, kLanes); ++block) {
      for (size_t group = 0; group < GroupCount(filter, kKr); ++group) {
        for (size_t lane = 0; lane < kLanes; ++lane) {
          const size_t channel = BlockStart(block, channels, kLanes) + lane;
          for (size_t i = 0; i < kKr; ++i, ++out) {
            const size_t tap = TapOf(filter, kKr, group, i);
            if (tap != SIZE_MAX && channel < channels)
              *out = static_cast<T>(weights[tap * channels + channel]);
          }
        }
      }
    }
  }
  static size_t Entries(size_t channels) { return BlockCount(channels, kLanes) * kLanes; }
  static size_t ChannelOf(size_t entry, size_t channels) {
    const size_t channel = BlockStart(entry / kLanes, channels, kLanes) + entry % kLanes;
    return channel < channels ? channel : SIZE_MAX;
  }
};

bool AllFit(const int16_t*, size_t) { return true; }
bool FitBytes(const int16_t* weights, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (weights[i] < -128 || weights[i] > 127) return false;
  }
  return true;
}

template <typename T, size_t kLanes>
constexpr depthwise::Layout LayoutOf(bool (*fits)(const int16_t*, size_t), int lhs_offset) {
  using Of = Blocks<T, kLanes>;
  return {fits, Of::PackedBytes, Of::Pack, Of::Entries, Of::ChannelOf, lhs_offset};
}

}  // namespace

const depthwise::Layout kPairs8 = LayoutOf<int16_t, 8>(AllFit, 0);
const depthwise::Layout kQuads8 = LayoutOf<int8_t, 8>(FitBytes, 128);
const depthwise::Layout kQuads16 = LayoutOf<int8_t, 16>(FitBytes, 128);

}  // namespace lowbit::kernels::depthwise_rows
