// Depthwise convolution of float32, hybrid and 16x8 layers, in plain loops over channels.
#pragma once

#include <memory>

#include "program/steps/window.h"

namespace lowbit::program::steps {

Status LoadPlainDepthwise(StepArgs& args, const Window& window, size_t multiplier,
                          std::unique_ptr<Step>* step);

}  // namespace lowbit::program::steps
