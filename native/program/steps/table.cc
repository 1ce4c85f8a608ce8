// The list of all kinds of steps: two lines each, and which inputs a step may write over. A program's
// StepRecord.kind is an index of this list.
#include "program/step.h"

namespace lowbit::program {

namespace steps {
Status LoadArgMax(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadBatchMatmul(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadBinary(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadCast(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadCompare(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadComplexPart(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadConcat(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadConv(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadCopy(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadCumSum(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadDepthwise(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadDetection(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadDequantize(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadFullyConnected(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadFullyConnectedBlockwise(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadGather(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadIf(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadLstm(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadL2Norm(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadLut(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadLut16(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadNonMaxSuppression(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadOnce(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadPad(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadPool(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadQuantize(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadQuantizedBinary(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadQuantizedPrelu(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadReduce(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadRequantize(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadResizeBilinear(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadResizeNearest(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadRfft2d(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadScatter(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadSelect(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadSoftmax(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadStrided(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadSvdf(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadTopK(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadUnary(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadUnique(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadUnpack4(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadWhere(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadWhile(StepArgs& args, std::unique_ptr<Step>* step);
}  // namespace steps

static constexpr uint32_t kFirst = 1u << 0, kSecond = 1u << 1;  // inputs

static constexpr StepKind kKinds[] = {
    {"arg_max", steps::LoadArgMax},
    {"batch_matmul", steps::LoadBatchMatmul},
    {"binary", steps::LoadBinary, kFirst | kSecond},
    {"cast", steps::LoadCast},
    {"compare", steps::LoadCompare},
    {"complex_part", steps::LoadComplexPart},
    {"concat", steps::LoadConcat},
    {"conv", steps::LoadConv},
    {"copy", steps::LoadCopy, kFirst},
    {"cumsum", steps::LoadCumSum},
    {"depthwise", steps::LoadDepthwise},
    {"detection", steps::LoadDetection},
    {"dequantize", steps::LoadDequantize},
    {"fully_connected", steps::LoadFullyConnected},
    {"fully_connected_blockwise", steps::LoadFullyConnectedBlockwise},
    {"gather", steps::LoadGather},
    {"if", steps::LoadIf},
    {"lstm", steps::LoadLstm},
    {"l2_norm", steps::LoadL2Norm},
    {"lut", steps::LoadLut, kFirst},
    {"lut16", steps::LoadLut16, kFirst},
    {"non_max_suppression", steps::LoadNonMaxSuppression},
    {"once", steps::LoadOnce},
    {"pad", steps::LoadPad},
    {"pool", steps::LoadPool},
    {"quantize", steps::LoadQuantize},
    {"quantized_binary", steps::LoadQuantizedBinary, kFirst | kSecond},
    {"quantized_prelu", steps::LoadQuantizedPrelu, kFirst},
    {"reduce", steps::LoadReduce},
    {"requantize", steps::LoadRequantize},
    {"resize_bilinear", steps::LoadResizeBilinear},
    {"resize_nearest", steps::LoadResizeNearest},
    {"rfft2d", steps::LoadRfft2d},
    {"scatter", steps::LoadScatter},
    {"select", steps::LoadSelect},
    {"softmax", steps::LoadSoftmax},
    {"strided", steps::LoadStrided},
    {"svdf", steps::LoadSvdf},
    {"top_k", steps::LoadTopK},
    {"unary", steps::LoadUnary, kFirst},
    {"unique", steps::LoadUnique},
    {"unpack4", steps::LoadUnpack4},
    {"where", steps::LoadWhere},
    {"while", steps::LoadWhile},
};

Span<const StepKind> StepKinds() { return {kKinds, sizeof kKinds / sizeof kKinds[0]}; }

}  // namespace lowbit::program
