// What recurrent steps share: the order of the rows of a sequence, and checks of their constant operands.
#pragma once

#include <string>

#include "program/steps/common.h"

namespace lowbit::program::steps {

// Rows of the input and of the output: [batch, time, …] or, time major, [time, batch, …]; rank 2 is one
// moment. From the last moment to the first where reversed.
struct Sequence {
  size_t batches = 0, times = 0, batch_stride = 0, time_stride = 0;
  bool is_reversed = false;

  size_t Row(size_t batch, size_t time) const {
    return batch * batch_stride + (is_reversed ? times - 1 - time : time) * time_stride;
  }
};

// Attributes timeMajor and reversed. The output has the input's extents, but for the last, `outputs`.
inline Status LoadSequence(const StepArgs& args, size_t outputs, Sequence* sequence) {
  LOWBIT_STEP_INT(timeMajor, 0, 1);
  LOWBIT_STEP_INT(reversed, 0, 1);
  const Tensor &input = args.input(0), &output = args.output(0);
  const int rank = input.rank;
  if ((rank != 2 && rank != 3) || output.rank != rank ||
      !std::equal(input.dims, input.dims + rank - 1, output.dims) ||
      static_cast<size_t>(output.dims[rank - 1]) != outputs || output.dtype != input.dtype)
    return args.Fail(Code::kShapeMismatch, "the output has another shape or type");
  const auto dim = [&](int i) { return rank == 2 && i == 1 ? 1 : static_cast<size_t>(input.dims[i]); };
  const int time_axis = rank == 3 && timeMajor ? 0 : 1;
  sequence->times = dim(time_axis);
  sequence->batches = dim(1 - time_axis);
  sequence->batch_stride = time_axis ? sequence->times : 1;
  sequence->time_stride = time_axis ? 1 : sequence->batches;
  sequence->is_reversed = reversed != 0;
  return Status();
}

inline Status ExpectMatrix(const StepArgs& args, int i, size_t rows, size_t cols, Dtype dtype) {
  const Tensor& tensor = args.input(i);
  const std::string name = "weights " + std::to_string(i);
  if (!tensor.is_constant()) return args.Fail(Code::kUnsupported, name + " must be constant");
  if (tensor.rank != 2 || static_cast<size_t>(tensor.dims[0]) != rows ||
      static_cast<size_t>(tensor.dims[1]) != cols)
    return args.Fail(Code::kShapeMismatch, name + " must have the shape [" + std::to_string(rows) + ", " +
                                               std::to_string(cols) + "]");
  if (tensor.dtype != dtype) return args.Fail(Code::kTypeMismatch, name + " differ in type");
  return Status();
}

inline Status ExpectVector(const StepArgs& args, int i, size_t count, Dtype dtype) {
  const Tensor& tensor = args.input(i);
  const std::string name = "operand " + std::to_string(i);
  if (!tensor.is_constant()) return args.Fail(Code::kUnsupported, name + " must be constant");
  if (tensor.count() != count)
    return args.Fail(Code::kShapeMismatch, name + " must have " + std::to_string(count) + " elements");
  if (tensor.dtype != dtype) return args.Fail(Code::kTypeMismatch, name + " has another type than expected");
  return Status();
}

inline Status ExpectState(const StepArgs& args, int i, size_t count, Dtype dtype) {
  const Tensor& tensor = args.input(i);
  const std::string name = "operand " + std::to_string(i);
  if (!tensor.is_state()) return args.Fail(Code::kInvalid, name + " must be state");
  if (tensor.dtype != dtype)
    return args.Fail(Code::kTypeMismatch, "the state has another type than expected");
  if (tensor.count() != count)
    return args.Fail(Code::kShapeMismatch, "the state has another size than expected");
  return Status();
}

}  // namespace lowbit::program::steps
