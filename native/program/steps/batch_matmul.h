// What the kinds of batch_matmul share: how matrices lie, and the kind for float32.
#pragma once

#include <cstddef>
#include <memory>

#include "program/step.h"
#include "program/steps/matmul.h"

namespace lowbit::program::steps {

constexpr int kMostLeading = kMaxRank - 2;

struct MatmulExtents {
  size_t m = 0, k = 0, n = 0, batches = 1;
  bool adjoint_a = false, adjoint_b = false;
  int leading = 0;
  size_t extent[kMostLeading] = {};

  // How an operand lies, in elements: from matrix to matrix along each leading dimension, from line to line.
  struct Side {
    size_t stride[kMostLeading] = {}, line = 0;
  } a, b, out;

  // Where the matrix of an operand begins that output matrix `batch` takes.
  size_t Begin(size_t batch, const Side& side) const {
    size_t begin = 0;
    for (int i = leading; i-- > 0; batch /= extent[i]) begin += batch % extent[i] * side.stride[i];
    return begin;
  }
};

Status LoadRealBatchMatmul(StepArgs& args, const MatmulExtents& extents, std::unique_ptr<Step>* step);

}  // namespace lowbit::program::steps
