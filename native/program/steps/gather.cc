// `gather`: picks slices of x along a dimension. Inputs: x, indices (int32 or int64). Attributes: axis,
// batch_dims (how many leading dimensions both share; <= axis). The output's elements are those of x[..axis]
// + indices[batch_dims..] + x[axis+1..]; only its size is looked at. Indices are known only while running:
// slices that do not exist are filled with zeros.
#include <cstring>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

struct Geometry {
  size_t batches, outer, extent, inner;  // inner in bytes
  size_t picks;                          // indices a batch
};

template <typename I>
class Gather final : public Step {
 public:
  Gather(Operand in, Operand indices, Operand out, const Geometry& geometry)
      : in_(in), indices_(indices), out_(out), g_(geometry) {
    kernel_ = "gather.copy";
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* in = in_.In<uint8_t>(run);
    const I* indices = indices_.In<I>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    Split(run, g_.batches * g_.outer, (256 << 10) / (g_.picks * g_.inner + 1), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const I* from = indices + i / g_.outer * g_.picks;
        const uint8_t* slices = in + i * g_.extent * g_.inner;
        uint8_t* to = out + i * g_.picks * g_.inner;
        for (size_t k = 0; k < g_.picks; ++k, to += g_.inner) {
          const I index = from[k];
          if (index >= 0 && static_cast<uint64_t>(index) < g_.extent) {
            std::memmove(to, slices + static_cast<size_t>(index) * g_.inner, g_.inner);
          } else {
            std::memset(to, 0, g_.inner);
          }
        }
      }
    });
  }

 private:
  Operand in_, indices_, out_;
  Geometry g_;
};

}  // namespace

Status LoadGather(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  const Tensor& in = args.input(0);
  const Tensor& indices = args.input(1);
  const Tensor& out = args.output(0);
  if (in.dtype != out.dtype) return args.Fail(Code::kTypeMismatch, "input and output differ in type");
  const size_t element = ElementBytes(in.dtype);
  if (!element) return args.Fail(Code::kUnsupported, "elements that share bytes");
  if (in.rank < 1) return args.Fail(Code::kShapeMismatch, "needs a dimension");
  LOWBIT_STEP_INT(axis, 0, in.rank - 1);
  LOWBIT_STEP_INT(batch_dims, 0, axis);
  if (batch_dims > indices.rank) return args.Fail(Code::kShapeMismatch, "indices lack dimensions");
  Geometry g{1, 1, static_cast<size_t>(in.dims[axis]), element, 1};
  for (int i = 0; i < in.rank; ++i) {
    const size_t extent = static_cast<size_t>(in.dims[i]);
    if (i < batch_dims && in.dims[i] != indices.dims[i]) {
      return args.Fail(Code::kShapeMismatch, "shared dimensions differ");
    }
    if (i != axis) (i < batch_dims ? g.batches : i < axis ? g.outer : g.inner) *= extent;
  }
  for (int i = batch_dims; i < indices.rank; ++i) g.picks *= static_cast<size_t>(indices.dims[i]);
  // Each factor divides the size of a tensor that exists, unless one of them is 0.
  const bool empty = !g.batches || !g.outer || !g.inner || !g.picks;
  if (empty ? out.bytes != 0
            : g.batches * g.outer > out.bytes || g.batches * g.outer * g.picks > out.bytes ||
                  g.batches * g.outer * g.picks * g.inner != out.bytes) {
    return args.Fail(Code::kShapeMismatch, "the output has another size");
  }
  if (empty) {
    g.batches = 0;
    g.outer = 1;
  }
  const Operand from = args.Bind(in), at = args.Bind(indices), to = args.Bind(out);
  switch (indices.dtype) {
    case Dtype::kInt32:
      *step = std::make_unique<Gather<int32_t>>(from, at, to, g);
      return Status();
    case Dtype::kInt64:
      *step = std::make_unique<Gather<int64_t>>(from, at, to, g);
      return Status();
    default:
      return args.Fail(Code::kUnsupported, "indices are int32 or int64");
  }
}

}  // namespace lowbit::program::steps
