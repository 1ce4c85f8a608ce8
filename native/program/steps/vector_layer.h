// Quantised layers of one output row: fully connected ones of batch 1, convolutions of one output pixel.
#pragma once

#include <memory>

#include "program/steps/gemm_families.h"

namespace lowbit::program::steps {

// Leaves *step alone where no kernel of kernels/gemv serves. The input's `shape.depth` elements are the row;
// `shape.rows` and `shape.groups` are 1.
Status LoadVectorLayer(StepArgs& args, const MatmulShape& shape, const QuantizedLayer& layer,
                       std::unique_ptr<Step>* step);

}  // namespace lowbit::program::steps
