// `lstm`: an LSTM over sequences, [batch, time, inputs] -> [batch, time, outputs], or one moment of rank 2,
// which keeps its last output and its cells in the state. Operands: see lstm.h. Attributes: those of a
// sequence (recurrent.h), and those of the arithmetics (lstm_real.cc, lstm_integer.cc).
#include "program/steps/lstm.h"

#include <string>

namespace lowbit::program::steps {
Status LoadLstm(StepArgs& args, std::unique_ptr<Step>* step) {
  if (args.input_count() != kLstmInputs || args.output_count() != 1)
    return args.Fail(Code::kInvalid, "takes 24 inputs and gives one output");
  for (const int i : {0, 2, 3, 4, 6, 7, 8, 13, 14, 15, 18, 19})
    if (!args.has_input(i)) return args.Fail(Code::kInvalid, "operand " + std::to_string(i) + " is missing");
  const Tensor &input = args.input(0), &weights = args.input(4);
  if (weights.rank != 2 || args.input(8).rank != 2)
    return args.Fail(Code::kShapeMismatch, "weights must be matrices");

  LstmShape shape;
  const auto dim = [](const Tensor& tensor, int i) { return static_cast<size_t>(tensor.dims[i]); };
  shape.cells = dim(weights, 0);
  shape.outputs = dim(args.input(8), 1);
  LOWBIT_RETURN_IF_ERROR(LoadSequence(args, shape.outputs, &shape.sequence));
  shape.inputs = dim(input, input.rank - 1);
  shape.has_input_gate = args.has_input(1);
  shape.has_peephole = args.has_input(11);
  shape.has_projection = args.has_input(16);
  shape.has_norm = args.has_input(23);
  // Sums of 65535 products of codes stay below 2^30.
  if (shape.inputs > 65535 || shape.outputs > 65535 || shape.cells > 65535 || shape.cells == 0)
    return args.Fail(Code::kUnsupported, "more than 65535 inputs, cells or outputs, or none");

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
    LOWBIT_RETURN_IF_ERROR(ExpectMatrix(args, 1 + gate, shape.cells, shape.inputs, weights.dtype));
    LOWBIT_RETURN_IF_ERROR(ExpectMatrix(args, 5 + gate, shape.cells, shape.outputs, weights.dtype));
    LOWBIT_RETURN_IF_ERROR(ExpectVector(args, 12 + gate, shape.cells, bias_dtype));
  }
  for (const int i : {9, 10, 11}) {
    const bool expected = shape.has_peephole && (i != 9 || shape.has_input_gate);
    if (args.has_input(i) != expected) return args.Fail(Code::kInvalid, "peephole weights are there in part");
    if (expected) LOWBIT_RETURN_IF_ERROR(ExpectVector(args, i, shape.cells, state_dtype));
  }
  for (int gate = 0; gate < kGates; ++gate) {
    const bool expected = shape.has_norm && (gate != kInputGate || shape.has_input_gate);
    if (args.has_input(20 + gate) != expected)
      return args.Fail(Code::kInvalid, "the layer normalisation is there in part");
    if (expected) LOWBIT_RETURN_IF_ERROR(ExpectVector(args, 20 + gate, shape.cells, state_dtype));
  }
  if (shape.has_projection)
    LOWBIT_RETURN_IF_ERROR(ExpectMatrix(args, 16, shape.outputs, shape.cells, weights.dtype));
  if (args.has_input(17)) {
    if (!shape.has_projection) return args.Fail(Code::kInvalid, "a bias without projection");
    LOWBIT_RETURN_IF_ERROR(ExpectVector(args, 17, shape.outputs, bias_dtype));
  }
  const size_t batches = shape.sequence.batches;
  LOWBIT_RETURN_IF_ERROR(ExpectState(args, 18, batches * shape.outputs, input.dtype));
  LOWBIT_RETURN_IF_ERROR(ExpectState(args, 19, batches * shape.cells, state_dtype));

  if (is_integer && weights.dtype == Dtype::kInt8) return LoadIntegerLstm(args, shape, step);
  if (input.dtype == Dtype::kFloat32 && (weights.dtype == Dtype::kFloat32 || weights.dtype == Dtype::kInt8))
    return LoadRealLstm(args, shape, step);
  return args.Fail(Code::kTypeMismatch, "runs on float32 x float32, float32 x int8 and int8 x int8");
}

}  // namespace lowbit::program::steps
