// `layer_norm`: rows of float32 along the last dimension, brought to mean 0 and variance 1, then scaled and shifted
// (kernels/rows_f32/contract.h). Inputs: x, gamma, perhaps beta, both of one element for each of a row. Attributes:
// epsilon.
#include "dispatch/rows_f32.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

class LayerNormStep final : public Step {
 public:
  LayerNormStep(StepArgs& args, size_t depth, float epsilon)
      : in_(args.Bind(args.input(0))),
        gamma_(args.Bind(args.input(1))),
        out_(args.Bind(args.output(0))),
        has_beta_(args.has_input(2)),
        rows_(args.input(0).count() / depth),
        depth_(depth),
        epsilon_(epsilon),
        row_(dispatch::rows_f32::Choose(args.isa())) {
    if (has_beta_) beta_ = args.Bind(args.input(2));
    kernel_ = row_.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const float* in = in_.In<float>(run);
    float* out = out_.Out<float>(run);
    const kernels::rows_f32::LayerNorm norm = {gamma_.In<float>(run),
                                               has_beta_ ? beta_.In<float>(run) : nullptr, epsilon_};
    Split(run, rows_, (32 << 10) / (depth_ + 1), [&](size_t begin, size_t end) {
      row_.normalize(in + begin * depth_, end - begin, depth_, norm, out + begin * depth_);
    });
  }

 private:
  Operand in_, gamma_, beta_, out_;
  bool has_beta_;
  size_t rows_, depth_;
  float epsilon_;
  const kernels::rows_f32::Row& row_;
};

}  // namespace

Status LoadLayerNorm(StepArgs& args, std::unique_ptr<Step>* step) {
  const int inputs = args.has_input(2) ? 3 : 2;
  if (args.input_count() > 3) return args.Fail(Code::kInvalid, "takes 2 or 3 inputs");
  for (int i = 0; i < inputs; ++i) {
    if (!args.has_input(i)) return args.Fail(Code::kInvalid, "an input is missing");
    if (args.input(i).dtype != Dtype::kFloat32) return args.Fail(Code::kTypeMismatch, "takes float32");
  }
  if (args.output_count() != 1 || args.output(0).dtype != Dtype::kFloat32) {
    return args.Fail(Code::kTypeMismatch, "gives one float32 output");
  }
  const Tensor& in = args.input(0);
  if (in.rank < 1 || !SameShape(in, args.output(0)))
    return args.Fail(Code::kShapeMismatch, "input and output differ in shape");
  const size_t depth = static_cast<size_t>(in.dims[in.rank - 1]);
  if (depth == 0) return args.Fail(Code::kShapeMismatch, "a mean of nothing");
  for (int i = 1; i < inputs; ++i) {
    if (args.input(i).count() != depth)
      return args.Fail(Code::kShapeMismatch, "gamma and beta have one element for each of a row");
  }
  float epsilon;
  LOWBIT_RETURN_IF_ERROR(args.Float("epsilon", &epsilon));
  *step = std::make_unique<LayerNormStep>(args, depth, epsilon);
  return Status();
}

}  // namespace lowbit::program::steps
