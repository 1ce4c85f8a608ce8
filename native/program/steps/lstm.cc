// `lstm`: an LSTM over sequences, [batch, time, inputs] -> [batch, time, outputs], which keeps its last
// output and its cells in the state. Operands: see lstm.h. Attributes: timeMajor, and those of the
// arithmetics (lstm_real.cc, lstm_integer.cc).
#include "program/steps/lstm.h"

#include <string>

namespace lowbit::program::steps {
namespace {

Status ExpectMatrix(const StepArgs& args, int i, size_t rows, size_t cols) {
  const Tensor& tensor = args.input(i);
  const std::string name = "weights " + std::to_string(i);
  if (!tensor.is_constant()) return args.Fail(Code::kUnsupported, name + " must be constant");
  if (tensor.rank != 2 || static_cast<size_t>(tensor.dims[0]) != rows ||
      static_cast<size_t>(tensor.dims[1]) != cols)
    return args.Fail(Code::kShapeMismatch, name + " must have the shape [" + std::to_string(rows) + ", " +
                                               std::to_string(cols) + "]");
  if (tensor.dtype != args.input(2).dtype) return args.Fail(Code::kTypeMismatch, name + " differ in type");
  return Status();
}

Status ExpectVector(const StepArgs& args, int i, size_t count, Dtype dtype) {
  const Tensor& tensor = args.input(i);
  const std::string name = "operand " + std::to_string(i);
  if (!tensor.is_constant()) return args.Fail(Code::kUnsupported, name + " must be constant");
  if (tensor.count() != count)
    return args.Fail(Code::kShapeMismatch, name + " must have " + std::to_string(count) + " elements");
  if (tensor.dtype != dtype) return args.Fail(Code::kTypeMismatch, name + " has another type than expected");
  return Status();
}

}  // namespace

Status LoadLstm(StepArgs& args, std::unique_ptr<Step>* step) {
  if (args.input_count() != kLstmInputs || args.output_count() != 1)
    return args.Fail(Code::kInvalid, "takes 20 inputs and gives one output");
  LOWBIT_STEP_INT(timeMajor, 0, 1);
  for (const int i : {0, 2, 3, 4, 6, 7, 8, 13, 14, 15, 18, 19})
    if (!args.has_input(i)) return args.Fail(Code::kInvalid, "operand " + std::to_string(i) + " is missing");
  const Tensor &input = args.input(0), &output = args.output(0), &weights = args.input(4);
  if (input.rank != 3 || output.rank != 3 || weights.rank != 2 || args.input(8).rank != 2)
    return args.Fail(Code::kShapeMismatch, "takes sequences of rank 3, and matrices");

  LstmShape shape;
  const auto dim = [](const Tensor& tensor, int i) { return static_cast<size_t>(tensor.dims[i]); };
  shape.batches = dim(input, timeMajor);
  shape.times = dim(input, 1 - timeMajor);
  shape.inputs = dim(input, 2);
  shape.cells = dim(weights, 0);
  shape.outputs = dim(args.input(8), 1);
  shape.batch_stride = timeMajor ? 1 : shape.times;
  shape.time_stride = timeMajor ? shape.batches : 1;
  shape.has_input_gate = args.has_input(1);
  shape.has_peephole = args.has_input(11);
  shape.has_projection = args.has_input(16);
  // Sums of 65535 products of codes stay below 2^30.
  if (shape.inputs > 65535 || shape.outputs > 65535 || shape.cells > 65535 || shape.cells == 0)
    return args.Fail(Code::kUnsupported, "more than 65535 inputs, cells or outputs, or none");

  if (dim(output, timeMajor) != shape.batches || dim(output, 1 - timeMajor) != shape.times ||
      dim(output, 2) != shape.outputs || output.dtype != input.dtype)
    return args.Fail(Code::kShapeMismatch, "the output has another shape or type");
  if (!shape.has_projection && shape.outputs != shape.cells)
    return args.Fail(Code::kShapeMismatch, "without projection there are as many outputs as cells");
  const bool is_integer = input.dtype == Dtype::kInt8;
  const Dtype state_dtype = is_integer ? Dtype::kInt16 : Dtype::kFloat32;
  const Dtype bias_dtype = is_integer ? Dtype::kInt32 : Dtype::kFloat32;
  for (int gate = 0; gate < kGates; ++gate) {
    if (gate == kInputGate && !shape.has_input_gate) {
      if (args.has_input(5) || args.has_input(12))
        return args.Fail(Code::kInvalid, "the input gate is there in part");
      continue;
    }
    if (!args.has_input(5 + gate) || !args.has_input(12 + gate))
      return args.Fail(Code::kInvalid, "a gate is there in part");
    LOWBIT_RETURN_IF_ERROR(ExpectMatrix(args, 1 + gate, shape.cells, shape.inputs));
    LOWBIT_RETURN_IF_ERROR(ExpectMatrix(args, 5 + gate, shape.cells, shape.outputs));
    LOWBIT_RETURN_IF_ERROR(ExpectVector(args, 12 + gate, shape.cells, bias_dtype));
  }
  for (const int i : {9, 10, 11}) {
    const bool expected = shape.has_peephole && (i != 9 || shape.has_input_gate);
    if (args.has_input(i) != expected) return args.Fail(Code::kInvalid, "peephole weights are there in part");
    if (expected) LOWBIT_RETURN_IF_ERROR(ExpectVector(args, i, shape.cells, state_dtype));
  }
  if (shape.has_projection) LOWBIT_RETURN_IF_ERROR(ExpectMatrix(args, 16, shape.outputs, shape.cells));
  if (args.has_input(17)) {
    if (!shape.has_projection) return args.Fail(Code::kInvalid, "a bias without projection");
    LOWBIT_RETURN_IF_ERROR(ExpectVector(args, 17, shape.outputs, bias_dtype));
  }
  const Tensor &outputs = args.input(18), &cells = args.input(19);
  if (!outputs.is_state() || !cells.is_state())
    return args.Fail(Code::kInvalid, "operands 18 and 19 must be state");
  if (outputs.dtype != input.dtype || cells.dtype != state_dtype)
    return args.Fail(Code::kTypeMismatch, "the state has another type than expected");
  if (outputs.count() != shape.batches * shape.outputs || cells.count() != shape.batches * shape.cells)
    return args.Fail(Code::kShapeMismatch, "the state has another size than expected");

  if (is_integer && weights.dtype == Dtype::kInt8) return LoadIntegerLstm(args, shape, step);
  if (input.dtype == Dtype::kFloat32 && (weights.dtype == Dtype::kFloat32 || weights.dtype == Dtype::kInt8))
    return LoadRealLstm(args, shape, step);
  return args.Fail(Code::kTypeMismatch, "runs on float32 x float32, float32 x int8 and int8 x int8");
}

}  // namespace lowbit::program::steps
