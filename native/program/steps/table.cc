// The list of all kinds of steps: two lines each, which inputs a step may write over, and what it would do
// with more memory. A program's
// StepRecord.kind is an index of this list.
#include "program/step.h"

namespace lowbit::program {

namespace steps {
Status LoadArgMax(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadAveragePoolGradient(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadBatchMatmul(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadBinary(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadBucketize(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadCast(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadClampGradient(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadColumnProducts(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadColumnRange(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadCompare(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadComplexPart(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadConcat(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadConv(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadConvComputed(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadConvFilterGradient(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadConvInputGradient(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadConv3d(StepArgs& args, std::unique_ptr<Step>* step);
Wish WishOfConv(const StepArgs& args);
Status LoadCopy(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadCumSum(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadDepthwiseFilterGradient(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadDepthwiseInputGradient(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadDepthwise(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadDequantize(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadDetection(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadExtremes(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadFakeQuant(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadFakeQuantize(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadFullyConnected(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadFullyConnectedBlockwise(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadGather(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadGridGradient(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadIf(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadL2Norm(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadLayerNorm(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadLocalNorm(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadLstm(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadLut(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadLut16(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadMaxPoolGradient(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadNonMaxSuppression(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadOnce(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadPad(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadPool(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadQuantize(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadQuantizeRows(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadQuantizedBinary(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadQuantizedPrelu(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadReduce(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadRequantize(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadResizeBilinear(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadResizeNearest(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadReverseSequence(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadRfft2d(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadRnn(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadScaleColumns(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadScatter(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadSegment(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadSelect(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadSetDiagonal(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadSoftmax(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadStrided(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadSvdf(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadTopK(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadUnary(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadUnique(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadUnpack4(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadUpdate(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadUpdateSlice(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadWhere(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadWhile(StepArgs& args, std::unique_ptr<Step>* step);
}  // namespace steps

static constexpr uint32_t kFirst = 1u << 0, kSecond = 1u << 1;  // inputs

static constexpr StepKind kKinds[] = {
    {"arg_max", steps::LoadArgMax},
    {"average_pool_gradient", steps::LoadAveragePoolGradient},
    {"batch_matmul", steps::LoadBatchMatmul},
    {"binary", steps::LoadBinary, kFirst | kSecond},
    {"bucketize", steps::LoadBucketize},
    {"cast", steps::LoadCast},
    {"clamp_gradient", steps::LoadClampGradient, kSecond},
    {"column_products", steps::LoadColumnProducts},
    {"column_range", steps::LoadColumnRange},
    {"compare", steps::LoadCompare},
    {"complex_part", steps::LoadComplexPart},
    {"concat", steps::LoadConcat},
    {"conv", steps::LoadConv, 0, steps::WishOfConv},
    {"conv3d", steps::LoadConv3d},
    {"conv_computed", steps::LoadConvComputed},
    {"conv_filter_gradient", steps::LoadConvFilterGradient},
    {"conv_input_gradient", steps::LoadConvInputGradient},
    {"copy", steps::LoadCopy, kFirst},
    {"cumsum", steps::LoadCumSum},
    {"depthwise", steps::LoadDepthwise},
    {"depthwise_filter_gradient", steps::LoadDepthwiseFilterGradient},
    {"depthwise_input_gradient", steps::LoadDepthwiseInputGradient},
    {"dequantize", steps::LoadDequantize},
    {"detection", steps::LoadDetection},
    {"extremes", steps::LoadExtremes},
    {"fake_quant", steps::LoadFakeQuant},
    {"fake_quantize", steps::LoadFakeQuantize},
    {"fully_connected", steps::LoadFullyConnected},
    {"fully_connected_blockwise", steps::LoadFullyConnectedBlockwise},
    {"gather", steps::LoadGather},
    {"grid_gradient", steps::LoadGridGradient},
    {"if", steps::LoadIf},
    {"l2_norm", steps::LoadL2Norm},
    {"layer_norm", steps::LoadLayerNorm, kFirst},
    {"local_norm", steps::LoadLocalNorm},
    {"lstm", steps::LoadLstm},
    {"lut", steps::LoadLut, kFirst},
    {"lut16", steps::LoadLut16, kFirst},
    {"max_pool_gradient", steps::LoadMaxPoolGradient},
    {"non_max_suppression", steps::LoadNonMaxSuppression},
    {"once", steps::LoadOnce},
    {"pad", steps::LoadPad},
    {"pool", steps::LoadPool},
    {"quantize", steps::LoadQuantize},
    {"quantize_rows", steps::LoadQuantizeRows},
    {"quantized_binary", steps::LoadQuantizedBinary, kFirst | kSecond},
    {"quantized_prelu", steps::LoadQuantizedPrelu, kFirst},
    {"reduce", steps::LoadReduce},
    {"requantize", steps::LoadRequantize},
    {"resize_bilinear", steps::LoadResizeBilinear},
    {"resize_nearest", steps::LoadResizeNearest},
    {"reverse_sequence", steps::LoadReverseSequence},
    {"rfft2d", steps::LoadRfft2d},
    {"rnn", steps::LoadRnn},
    {"scale_columns", steps::LoadScaleColumns, kFirst},
    {"scatter", steps::LoadScatter},
    {"segment", steps::LoadSegment},
    {"select", steps::LoadSelect},
    {"set_diagonal", steps::LoadSetDiagonal},
    {"softmax", steps::LoadSoftmax},
    {"strided", steps::LoadStrided},
    {"svdf", steps::LoadSvdf},
    {"top_k", steps::LoadTopK},
    {"unary", steps::LoadUnary, kFirst},
    {"unique", steps::LoadUnique},
    {"unpack4", steps::LoadUnpack4},
    {"update", steps::LoadUpdate},
    {"update_slice", steps::LoadUpdateSlice, kFirst},
    {"where", steps::LoadWhere},
    {"while", steps::LoadWhile},
};

Span<const StepKind> StepKinds() { return {kKinds, sizeof kKinds / sizeof kKinds[0]}; }

}  // namespace lowbit::program
