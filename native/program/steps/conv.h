// Convolution with weights in any order, for steps that are convolutions in disguise.
#pragma once

#include <memory>

#include "program/steps/gemm_families.h"
#include "program/steps/window.h"

namespace lowbit::program::steps {

Status LoadConvOf(StepArgs& args, Window window, MatmulShape shape, WeightStrides strides,
                  std::unique_ptr<Step>* step);

}  // namespace lowbit::program::steps
