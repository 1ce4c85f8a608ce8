// Depthwise convolution for NEON: eight channels a pass.
//
// Method: with weights of bytes smull and smlal multiply two taps in int16, which are then added to int32 sums; wider
//         weights take smlal from int16 to int32.
// Exact:  two byte products fit int16 (neon_taps.h); codes lie in [-128, 127] and wide weights in [-255, 255]. The
//         int32 sums wrap, as the reference's do.
// Reads:  taps inside [0, channels).
#include "kernels/depthwise/neon.h"

#include "kernels/depthwise/neon_taps.h"
#include "kernels/depthwise/pack.h"

namespace lowbit::kernels::depthwise {

namespace {

// The sums of eight channels; `load(t)` gives their codes under tap t.
template <typename Weight, typename Load>
inline Sums8 Products(const Load& load, size_t tap_count, const Weight* weights, Sums8 sums) {
  size_t t = 0;
  for (; t + 2 <= tap_count; t += 2)
    AddTaps(&sums, load(t), weights + t * kLanes, load(t + 1), weights + (t + 1) * kLanes);
  if (t < tap_count) AddTap(&sums, load(t), weights + t * kLanes);
  return sums;
}

template <typename Weight, Ending kEnding>
void RunBlocks(const Call& call, const Channels& channels, const Output& output) {
  const ByteClamp clamp(output);
  const int8x8_t flip = vdup_n_s8(static_cast<int8_t>(call.flip));
  const Weight* weights = static_cast<const Weight*>(call.packed);
  for (size_t c = 0; c < call.channels; c += kLanes, weights += call.tap_count * kLanes) {
    const size_t start = BlockStart(c / kLanes, call.channels);
    const Finish8<kEnding> finish(channels, clamp, c);
    const int8_t* const* taps = call.taps;
    int8_t* out = call.out + start;
    for (size_t pixel = 0; pixel < call.pixels; ++pixel, taps += call.tap_count, out += call.out_stride) {
      if (call.channels >= kLanes) {
        const auto load = [&](size_t t) { return Flipped(taps[t] + start, flip); };
        vst1_s8(out, finish(Products(load, call.tap_count, weights, finish.bias)));
      } else {
        const auto load = [&](size_t t) {
          int8_t few[kLanes] = {};
          for (size_t i = 0; i < call.channels; ++i) few[i] = taps[t][i];
          return Flipped(few, flip);
        };
        StoreBytes<8>(out, finish(Products(load, call.tap_count, weights, finish.bias)),
                      static_cast<int>(call.channels));
      }
    }
  }
}

template <typename Weight>
void Run(const Call& call, const Channels& channels, const Output& output) noexcept {
  WithEnding(channels,
             [&](auto ending) { RunBlocks<Weight, decltype(ending)::value>(call, channels, output); });
}

constexpr Row kList[] = {
    {"depthwise.s8s8.taps.neon", cpu::kNeon, Run<int8_t>, &kByteTaps},
    {"depthwise.s8s8.taps.neon.wide", cpu::kNeon, Run<int16_t>, &kWordTaps},
};

}  // namespace

const Rows kNeon{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise
