// `local_norm`: each element over a power of the squares around it along the last dimension,
// x * (bias + alpha * sum)^-beta. Inputs: x (float32). Attributes: radius, bias, alpha, beta.
//
// Source: TensorFlow's definition of local response normalisation; LiteRT's reference leaves out the last
// neighbour.
#include <cmath>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

class LocalNorm final : public Step {
 public:
  LocalNorm(Operand in, Operand out, size_t rows, size_t depth)
      : in_(in), out_(out), rows_(rows), depth_(depth) {
    kernel_ = "local_norm.scalar";
  }
  size_t radius = 0;
  float bias = 0, alpha = 0, beta = 0;

  void Run(const RunContext& run) const noexcept override {
    const float* const in = in_.In<float>(run);
    float* const out = out_.Out<float>(run);
    Split(run, rows_, (4 << 10) / (depth_ + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        const float* const x = in + row * depth_;
        for (size_t c = 0; c < depth_; ++c) {
          float sum = 0;
          const size_t last = std::min(depth_ - 1, c + radius);
          for (size_t i = c < radius ? 0 : c - radius; i <= last; ++i) sum += x[i] * x[i];
          out[row * depth_ + c] = x[c] * std::pow(bias + alpha * sum, -beta);
        }
      }
    });
  }

 private:
  Operand in_, out_;
  size_t rows_, depth_;
};

}  // namespace

Status LoadLocalNorm(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor &in = args.input(0), &out = args.output(0);
  if (in.dtype != Dtype::kFloat32 || out.dtype != in.dtype || in.rank < 1 || !SameShape(in, out))
    return args.Fail(Code::kTypeMismatch, "takes and gives float32 of one shape");
  const size_t depth = static_cast<size_t>(in.dims[in.rank - 1]);
  auto loaded =
      std::make_unique<LocalNorm>(args.Bind(in), args.Bind(out), depth ? in.count() / depth : 0, depth);
  LOWBIT_STEP_INT(radius, 0, INT32_MAX);
  loaded->radius = static_cast<size_t>(radius);
  LOWBIT_RETURN_IF_ERROR(args.Float("bias", &loaded->bias));
  LOWBIT_RETURN_IF_ERROR(args.Float("alpha", &loaded->alpha));
  LOWBIT_RETURN_IF_ERROR(args.Float("beta", &loaded->beta));
  *step = std::move(loaded);
  return Status();
}

}  // namespace lowbit::program::steps
