// `fully_connected_blockwise`: [.., depth] x constant int4 weights [channels, depth], which have a scale for
// each block of a row -> [.., channels], on float32. Each row of the input is quantised with a zero point
// first. Inputs: x, weights (two codes a byte), bias [channels] or absent, scales [channels, depth / block]
// float32. Attributes: block, lowReal and highReal (the fused activation).
//
// Source of the arithmetic: LiteRT kernels/fully_connected.cc, EvalBlockwise4Bit: sum of scale * (block's
// product), less the zero point times the sum of scale * (block's weights), times the row's scale.
#include <cstring>

#include "program/steps/common.h"
#include "program/steps/quantize_rows.h"

namespace lowbit::program::steps {
namespace {

struct Blocks {
  size_t rows, channels, depth, block;
};

class Blockwise final : public Step {
 public:
  explicit Blockwise(const Blocks& blocks) : b_(blocks) { kernel_ = "fully_connected.f32s4b.scalar"; }

  void Run(const RunContext& run) const noexcept override {
    float* const scales = reinterpret_cast<float*>(run.scratch);
    int32_t* const zero_points = reinterpret_cast<int32_t*>(scales + b_.rows);
    int8_t* const codes = reinterpret_cast<int8_t*>(zero_points + b_.rows);
    const float* const input = input_.In<float>(run);
    for (size_t row = 0; row < b_.rows; ++row)
      QuantizeRowAsymmetric(input + row * b_.depth, b_.depth, codes + row * b_.depth, scales + row,
                            zero_points + row);
    const float* const bias = has_bias_ ? bias_.In<float>(run) : nullptr;
    float* const output = output_.Out<float>(run);
    Split(run, b_.channels, (64 << 10) / (b_.rows * b_.depth + 1), [&](size_t begin, size_t end) {
      for (size_t channel = begin; channel < end; ++channel) {
        for (size_t row = 0; row < b_.rows; ++row) {
          const float sum = Dot(codes + row * b_.depth, channel) -
                            static_cast<float>(zero_points[row]) * sums_.as<float>()[channel];
          const float y = sum * scales[row] + (bias ? bias[channel] : 0.0f);
          output[row * b_.channels + channel] = std::min(high_, std::max(low_, y));
        }
      }
    });
  }
  uint64_t scratch_bytes(int) const override { return uint64_t{b_.rows} * (b_.depth + 8); }

  Status Load(StepArgs& args) {
    LOWBIT_RETURN_IF_ERROR(args.Float("lowReal", &low_));
    LOWBIT_RETURN_IF_ERROR(args.Float("highReal", &high_));
    const size_t blocks = b_.depth / b_.block;
    if (!weights_.Allocate(b_.channels * b_.depth) || !sums_.Allocate(b_.channels * sizeof(float)) ||
        !scales_.Allocate(b_.channels * blocks * sizeof(float)))
      return args.Fail(Code::kLimit, "not enough memory for its weights");
    const uint8_t* const packed = args.input(1).constant;
    int8_t* const weights = weights_.as<int8_t>();
    for (size_t i = 0; i < b_.channels * b_.depth; ++i) {
      const int nibble = (packed[i / 2] >> (i % 2 * 4)) & 15;
      weights[i] = static_cast<int8_t>(nibble - (nibble & 8) * 2);
    }
    if (args.input(3).bytes) std::memcpy(scales_.data(), args.input(3).constant, args.input(3).bytes);
    for (size_t channel = 0; channel < b_.channels; ++channel) {
      for (size_t block = 0; block < blocks; ++block) {
        int32_t sum = 0;
        for (size_t i = 0; i < b_.block; ++i) sum += weights[channel * b_.depth + block * b_.block + i];
        sums_.as<float>()[channel] += scales_.as<float>()[channel * blocks + block] * static_cast<float>(sum);
      }
    }
    packed_bytes_ = weights_.size() + sums_.size() + scales_.size();
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));
    has_bias_ = args.has_input(2);
    if (has_bias_) bias_ = args.Bind(args.input(2));
    return Status();
  }

 private:
  float Dot(const int8_t* codes, size_t channel) const {
    const size_t blocks = b_.depth / b_.block;
    const int8_t* const weights = weights_.as<int8_t>() + channel * b_.depth;
    const float* const scales = scales_.as<float>() + channel * blocks;
    float total = 0;
    for (size_t block = 0; block < blocks; ++block) {
      int32_t sum = 0;  // |sum| <= 2^20 * 2^7 * 2^3
      for (size_t i = block * b_.block; i < (block + 1) * b_.block; ++i)
        sum += int32_t{weights[i]} * codes[i];
      total += static_cast<float>(sum) * scales[block];
    }
    return total;
  }

  const Blocks b_;
  bool has_bias_ = false;
  float low_ = 0, high_ = 0;
  AlignedBuffer weights_, scales_, sums_;
  Operand input_, bias_, output_;
};

}  // namespace

Status LoadFullyConnectedBlockwise(StepArgs& args, std::unique_ptr<Step>* step) {
  if (args.input_count() != 4 || args.output_count() != 1 || !args.has_input(0) || !args.has_input(1) ||
      !args.has_input(3))
    return args.Fail(Code::kInvalid, "takes 4 inputs, of which the bias may be absent, and gives one output");
  const Tensor &input = args.input(0), &weights = args.input(1), &scales = args.input(3);
  const Tensor& output = args.output(0);
  LOWBIT_STEP_INT(block, 1, 1 << 20);
  if (input.dtype != Dtype::kFloat32 || weights.dtype != Dtype::kInt4 || scales.dtype != Dtype::kFloat32 ||
      output.dtype != Dtype::kFloat32)
    return args.Fail(Code::kTypeMismatch, "runs on float32 x int4");
  if (!weights.is_constant() || !scales.is_constant())
    return args.Fail(Code::kUnsupported, "weights and their scales must be constant");
  if (weights.rank != 2 || weights.dims[1] == 0 || weights.dims[1] % block != 0)
    return args.Fail(Code::kShapeMismatch, "weights must be rows of whole blocks");
  Blocks blocks{0, static_cast<size_t>(weights.dims[0]), static_cast<size_t>(weights.dims[1]),
                static_cast<size_t>(block)};
  blocks.rows = input.count() / blocks.depth;
  if (input.count() % blocks.depth != 0 || output.count() != blocks.rows * blocks.channels ||
      scales.count() != blocks.channels * (blocks.depth / blocks.block))
    return args.Fail(Code::kShapeMismatch,
                     "elements of input, weights, scales and output do not fit together");
  if (args.has_input(2) &&
      (args.input(2).dtype != Dtype::kFloat32 || args.input(2).count() != blocks.channels))
    return args.Fail(Code::kShapeMismatch, "the bias must be float32, one a channel");
  auto loaded = std::make_unique<Blockwise>(blocks);
  LOWBIT_RETURN_IF_ERROR(loaded->Load(args));
  *step = std::move(loaded);
  return Status();
}

}  // namespace lowbit::program::steps
