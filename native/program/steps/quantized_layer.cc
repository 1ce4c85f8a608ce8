// Reads the operands and attributes that quantised layers share.
#include "program/steps/quantized_layer.h"

#include <cstring>

namespace lowbit::program::steps {

Status ReadQuantizedLayer(const StepArgs& args, size_t channels, QuantizedLayer* layer) {
  if (args.input_count() < 2 || args.output_count() != 1 || !args.has_input(0) || !args.has_input(1)) {
    return args.Fail(Code::kInvalid, "expected input, weights and perhaps a bias -> output");
  }
  const Tensor &input = args.input(0), &weights = args.input(1), &output = args.output(0);
  const auto is_byte = [](Dtype dtype) { return dtype == Dtype::kInt8 || dtype == Dtype::kUint8; };
  if (!is_byte(input.dtype) || output.dtype != input.dtype || !is_byte(weights.dtype)) {
    return args.Fail(Code::kTypeMismatch, "input and output must both be int8 or both uint8, weights either");
  }
  if (!weights.is_constant()) return args.Fail(Code::kUnsupported, "weights must be constant");

  const bool is_unsigned = input.dtype == Dtype::kUint8;
  const int low = is_unsigned ? 0 : -128, offset = is_unsigned ? 128 : 0;
  layer->flip = is_unsigned ? 0x80 : 0;
  int zero_point, weight_zero_point;
  LOWBIT_RETURN_IF_ERROR(args.Int("inputZeroPoint", low, low + 255, &zero_point));
  layer->input_zero_point = zero_point - offset;
  LOWBIT_RETURN_IF_ERROR(args.Int("outputZeroPoint", low, low + 255, &zero_point));
  layer->output.zero_point = zero_point - offset;
  layer->output.flip = layer->flip;
  int least, most;
  LOWBIT_RETURN_IF_ERROR(args.Int("low", low, low + 255, &least));
  LOWBIT_RETURN_IF_ERROR(args.Int("high", low, low + 255, &most));
  layer->output.low = least - offset;
  layer->output.high = most - offset;
  if (least > most) return args.Fail(Code::kInvalid, "low is above high");

  const bool unsigned_weights = weights.dtype == Dtype::kUint8;
  LOWBIT_RETURN_IF_ERROR(args.Int("weightZeroPoint", unsigned_weights ? 0 : -128,
                                  unsigned_weights ? 255 : 127, &weight_zero_point));
  layer->weights.codes = weights.constant;
  layer->weights.is_unsigned = unsigned_weights;
  layer->weights.zero_point = weight_zero_point;

  LOWBIT_RETURN_IF_ERROR(ReadFactors(args, channels, 30, &layer->factors));
  layer->bias.assign(channels, 0);
  if (args.has_input(2)) {
    const Tensor& bias = args.input(2);
    if (!bias.is_constant()) return args.Fail(Code::kUnsupported, "the bias must be constant");
    if (bias.dtype != Dtype::kInt32) return args.Fail(Code::kTypeMismatch, "the bias must be int32");
    if (bias.bytes != channels * sizeof(int32_t)) {
      return args.Fail(Code::kShapeMismatch, "the bias must have one entry an output channel");
    }
    if (channels) std::memcpy(layer->bias.data(), bias.constant, bias.bytes);
  }
  return Status();
}

}  // namespace lowbit::program::steps
