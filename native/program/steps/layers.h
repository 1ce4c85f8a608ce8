// Convolution with weights in any order, for steps that are convolutions in disguise.
#pragma once

#include <memory>

#include "program/steps/matmul.h"
#include "program/steps/window.h"

namespace lowbit::program::steps {

Status LoadConvOf(StepArgs& args, const Window& window, const MatmulShape& shape, const QuantizedLayer& layer,
                  std::unique_ptr<Step>* step);

}  // namespace lowbit::program::steps
