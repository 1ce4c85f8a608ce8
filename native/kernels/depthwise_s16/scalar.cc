// 16x8 depthwise convolution in plain C++: the oracle, and what takes layers that fit no other row.
#include "kernels/depthwise_s16/scalar.h"

#include "kernels/depthwise_s16/pack.h"
#include "kernels/requantize/wide.h"

namespace lowbit::kernels::depthwise_s16 {

namespace {

void Run(const Call& call) noexcept {
  const size_t channels = call.channels;
  const int64_t* bias = static_cast<const int64_t*>(call.packed);
  const int32_t* multiplier = reinterpret_cast<const int32_t*>(bias + channels);
  const int32_t* shift = multiplier + channels;
  const int8_t* weights = reinterpret_cast<const int8_t*>(shift + channels);
  for (size_t pixel = 0; pixel < call.pixels; ++pixel) {
    const int16_t* const* taps = call.taps + pixel * call.tap_count;
    for (size_t c = 0; c < channels; ++c) {
      int64_t sum = 0;
      for (size_t t = 0; t < call.tap_count; ++t) sum += taps[t][c] * weights[t * channels + c];
      const int32_t code = MultiplyWide(AddWide(sum, bias[c]), multiplier[c], shift[c]);
      call.out[pixel * channels + c] = static_cast<int16_t>(code < call.low    ? call.low
                                                            : code > call.high ? call.high
                                                                               : code);
    }
  }
}

bool Any(const Layer&) { return true; }

constexpr Row kList[] = {{"depthwise.s16s8.scalar", cpu::kScalar, Any, PlainBytes, PackPlain, Run}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise_s16
