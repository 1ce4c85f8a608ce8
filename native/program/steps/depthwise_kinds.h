// Depthwise convolution of layers other than int8 and uint8 ones.
#pragma once

#include <memory>

#include "program/steps/window.h"

namespace lowbit::program::steps {

// float32; int16 with int8 weights; float32 quantised at run time with int8 weights.
Status LoadRealDepthwise(StepArgs& args, const Window& window, size_t multiplier,
                         std::unique_ptr<Step>* step);
Status LoadWideDepthwise(StepArgs& args, const Window& window, size_t multiplier,
                         std::unique_ptr<Step>* step);
Status LoadHybridDepthwise(StepArgs& args, const Window& window, size_t multiplier,
                           std::unique_ptr<Step>* step);

}  // namespace lowbit::program::steps
