// `reverse_sequence`: the first elements of each sequence in reverse, the rest as they are. Inputs: x, lengths
// (int32, int64). Attributes: batchAxis, timeAxis.
//
// A length outside the sequence fails the run. Source: LiteRT kernels/reverse_sequence.cc.
#include <cstring>

#include "program/steps/common.h"
#include "program/steps/dtypes.h"

namespace lowbit::program::steps {
namespace {

struct Dims {
  size_t outer = 1, first = 1, middle = 1, second = 1, inner_bytes = 1;
  bool batch_first = true;
};

template <typename Length>
class ReverseSequence final : public Step {
 public:
  ReverseSequence(Operand in, Operand lengths, Operand out, const Dims& dims)
      : in_(in), lengths_(lengths), out_(out), dims_(dims) {
    kernel_ = "reverse_sequence.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const Dims& d = dims_;
    const uint8_t* const in = in_.In<uint8_t>(run);
    const Length* const lengths = lengths_.In<Length>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    const size_t batches = d.batch_first ? d.first : d.second, times = d.batch_first ? d.second : d.first;
    for (size_t i = 0; i < batches; ++i) {
      if (lengths[i] < 0 || static_cast<uint64_t>(lengths[i]) > times)
        return run.Fail("a length lies outside its sequence");
    }
    for (size_t o = 0; o < d.outer; ++o) {
      for (size_t f = 0; f < d.first; ++f) {
        for (size_t m = 0; m < d.middle; ++m) {
          for (size_t s = 0; s < d.second; ++s, out += d.inner_bytes) {
            const size_t time = d.batch_first ? s : f;
            // Read again: a wrong program may let the output overlap the lengths.
            const size_t length = std::min(times, static_cast<size_t>(lengths[d.batch_first ? f : s]));
            const size_t from = time < length ? length - 1 - time : time;
            const size_t first = d.batch_first ? f : from, second = d.batch_first ? from : s;
            const size_t place = ((o * d.first + first) * d.middle + m) * d.second + second;
            std::memcpy(out, in + place * d.inner_bytes, d.inner_bytes);
          }
        }
      }
    }
  }

 private:
  Operand in_, lengths_, out_;
  Dims dims_;
};

}  // namespace

Status LoadReverseSequence(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  const Tensor &in = args.input(0), &lengths = args.input(1), &out = args.output(0);
  if (!SameShape(in, out) || in.dtype != out.dtype || in.rank < 2 || lengths.rank != 1)
    return args.Fail(Code::kShapeMismatch, "takes a tensor and a length for each sequence of it");
  LOWBIT_STEP_INT(batchAxis, 0, in.rank - 1);
  LOWBIT_STEP_INT(timeAxis, 0, in.rank - 1);
  const size_t element = ElementBytes(in.dtype);
  if (batchAxis == timeAxis || in.dims[batchAxis] != lengths.dims[0] || element == 0)
    return args.Fail(Code::kShapeMismatch, "sequences and lengths do not fit together");
  Dims dims;
  dims.batch_first = batchAxis < timeAxis;
  const int first = std::min(batchAxis, timeAxis), second = std::max(batchAxis, timeAxis);
  for (int i = 0; i < in.rank; ++i) {
    size_t& extent = i < first     ? dims.outer
                     : i == first  ? dims.first
                     : i < second  ? dims.middle
                     : i == second ? dims.second
                                   : dims.inner_bytes;
    extent *= static_cast<size_t>(in.dims[i]);
  }
  dims.inner_bytes *= element;
  if (!in.count()) dims.outer = 0;
  const bool found = VisitDtype<int32_t, int64_t>(lengths.dtype, [&](auto sample) {
    *step = std::make_unique<ReverseSequence<decltype(sample)>>(args.Bind(in), args.Bind(lengths),
                                                                args.Bind(out), dims);
  });
  return found ? Status() : args.Fail(Code::kTypeMismatch, "lengths must be int32 or int64");
}

}  // namespace lowbit::program::steps
