// Float32 depthwise convolution in plain C++.
#include "kernels/depthwise_f32/scalar.h"

namespace lowbit::kernels::depthwise_f32 {

namespace {

void Run(const Call& call) noexcept {
  for (size_t pixel = 0; pixel < call.pixels; ++pixel) {
    const float* const* taps = call.taps + pixel * call.tap_count;
    float* out = call.out + pixel * call.channels;
    for (size_t c = 0; c < call.channels; ++c) {
      float sum = 0;  // the bias comes last, as in the reference
      for (size_t t = 0; t < call.tap_count; ++t) sum += taps[t][c] * call.weights[t * call.channels + c];
      sum += call.bias[c];
      out[c] = sum < call.low ? call.low : sum > call.high ? call.high : sum;
    }
  }
}

constexpr Row kList[] = {{"depthwise.f32.scalar", cpu::kScalar, Run}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise_f32
