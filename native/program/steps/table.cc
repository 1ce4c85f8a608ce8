// The list of all kinds of steps: two lines each. A program's StepRecord.kind is an index of this list.
#include "program/step.h"

namespace lowbit::program {

namespace steps {
Status LoadArgMax(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadBatchMatmul(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadBinary(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadCast(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadConcat(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadConv(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadCopy(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadDepthwise(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadDequantize(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadFullyConnected(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadGather(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadLstm(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadLut(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadLut16(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadPad(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadPool(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadQuantize(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadQuantizedBinary(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadReduce(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadRequantize(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadResizeBilinear(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadResizeNearest(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadSoftmax(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadStrided(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadSvdf(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadUnary(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadUnpack4(StepArgs& args, std::unique_ptr<Step>* step);
}  // namespace steps

static constexpr StepKind kKinds[] = {
    {"arg_max", steps::LoadArgMax},
    {"batch_matmul", steps::LoadBatchMatmul},
    {"binary", steps::LoadBinary},
    {"cast", steps::LoadCast},
    {"concat", steps::LoadConcat},
    {"conv", steps::LoadConv},
    {"copy", steps::LoadCopy},
    {"depthwise", steps::LoadDepthwise},
    {"dequantize", steps::LoadDequantize},
    {"fully_connected", steps::LoadFullyConnected},
    {"gather", steps::LoadGather},
    {"lstm", steps::LoadLstm},
    {"lut", steps::LoadLut},
    {"lut16", steps::LoadLut16},
    {"pad", steps::LoadPad},
    {"pool", steps::LoadPool},
    {"quantize", steps::LoadQuantize},
    {"quantized_binary", steps::LoadQuantizedBinary},
    {"reduce", steps::LoadReduce},
    {"requantize", steps::LoadRequantize},
    {"resize_bilinear", steps::LoadResizeBilinear},
    {"resize_nearest", steps::LoadResizeNearest},
    {"softmax", steps::LoadSoftmax},
    {"strided", steps::LoadStrided},
    {"svdf", steps::LoadSvdf},
    {"unary", steps::LoadUnary},
    {"unpack4", steps::LoadUnpack4},
};

Span<const StepKind> StepKinds() { return {kKinds, sizeof kKinds / sizeof kKinds[0]}; }

}  // namespace lowbit::program
