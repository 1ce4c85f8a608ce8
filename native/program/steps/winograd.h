// 3x3 convolutions with stride 1 by kernels/winograd, where that is exact, faster and within the budget of
// packed weights.
#pragma once

#include <memory>

#include "program/step.h"
#include "program/steps/matmul.h"
#include "program/steps/quantized_layer.h"
#include "program/steps/window.h"

namespace lowbit::program::steps {

// Leaves *step empty where the layer is better off with the direct convolution. Sets nothing in `layer`.
Status LoadWinograd(StepArgs& args, const Window& window, const MatmulShape& shape,
                    const QuantizedLayer& layer, std::unique_ptr<Step>* step);

// What memory for its fastest form would gain a layer.
Wish WishOfWinograd(const StepArgs& args, const Window& window, const MatmulShape& shape);

}  // namespace lowbit::program::steps
