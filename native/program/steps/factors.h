// The factors of a layer's channels, from sums of products to output codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "program/step.h"

namespace lowbit::program::steps {

// Fixed-point with two roundings, or real with one (`scale`, likewise one a channel).
struct Factors {
  bool once = false;
  std::vector<int32_t> multiplier, shift;
  std::vector<double> scale;
};

// Attributes: either multiplier and shift, one a channel; or inputScale and outputScale, weightScale (one, or one a
// channel), once (1: real factors) and narrow (1: input scale times weight scale is rounded to float32).
// Shifts are in [-31, most_shift].
Status ReadFactors(const StepArgs& args, size_t channels, int most_shift, Factors* factors);

}  // namespace lowbit::program::steps
