// What the steps of fake quantisation share: grids of the columns of a matrix.
#pragma once

#include "kernels/grid_f32/contract.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {

struct MatrixSize {
  size_t rows, cols;
};
inline MatrixSize SizeOf(const Tensor& matrix) {
  return {static_cast<size_t>(matrix.dims[0]), static_cast<size_t>(matrix.dims[1])};
}

// An input [3, columns]: steps, least and most codes.
class GridOperand {
 public:
  GridOperand(StepArgs& args, int input)
      : operand_(args.Bind(args.input(input))), cols_(SizeOf(args.input(input)).cols) {}
  kernels::grid_f32::Grid In(const RunContext& run) const {
    const float* const numbers = operand_.In<float>(run);
    return {numbers, numbers + cols_, numbers + 2 * cols_};
  }

 private:
  Operand operand_;
  size_t cols_;
};

// Whether the first input is a grid for each column of the matrices, which are of one shape.
inline Status ExpectGridded(const StepArgs& args, std::initializer_list<const Tensor*> matrices) {
  const Tensor &grid = args.input(0), &first = **matrices.begin();
  for (const Tensor* matrix : matrices)
    if (matrix->dtype != Dtype::kFloat32 || matrix->rank != 2 || !SameShape(*matrix, first))
      return args.Fail(Code::kShapeMismatch, "takes and gives matrices of float32 of one shape");
  if (grid.dtype != Dtype::kFloat32 || grid.rank != 2 || grid.dims[0] != 3 || grid.dims[1] != first.dims[1])
    return args.Fail(Code::kShapeMismatch, "a grid is three numbers a column");
  return Status();
}

}  // namespace lowbit::program::steps
