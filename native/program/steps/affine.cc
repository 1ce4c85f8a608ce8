// `quantize`: float32 to int8, uint8, int16. `dequantize`: back. Attributes: scale (floats), zero_point
// (ints): one of each, or one for every index of the dimension `axis`. `requantize`: codes to codes of int8,
// uint8, int16, int32; attributes multiplier, shift, from_zero, to_zero.
//
// Source: TFLite kernels/quantize.cc, internal/reference/requantize.h.
#include "dispatch/affine.h"

#include <limits>
#include <vector>

#include "kernels/requantize/signed_shift.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

using kernels::affine::Kind;
using kernels::affine::Params;

class Affine final : public Step {
 public:
  Affine(const kernels::affine::Row& row, Operand in, Operand out, size_t in_bytes, size_t out_bytes)
      : run_(row.run), in_(in), out_(out), in_bytes_(in_bytes), out_bytes_(out_bytes) {
    kernel_ = row.name;
  }
  // outer x channels x inner elements; one entry of `params` a channel.
  bool Arrange(size_t outer, size_t inner, const Params* params, size_t channels) {
    if (!params_.Allocate(channels * sizeof(Params))) return false;
    std::copy(params, params + channels, params_.as<Params>());
    outer_ = outer;
    inner_ = inner;
    channels_ = channels;
    return true;
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* in = in_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    const Params* params = params_.as<Params>();
    if (channels_ == 1) {
      Split(run, outer_ * inner_, 32 << 10, [&](size_t begin, size_t end) {
        run_(params[0], in + begin * in_bytes_, out + begin * out_bytes_, end - begin);
      });
      return;
    }
    Split(run, outer_ * channels_, (32 << 10) / (inner_ + 1), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        run_(params[i % channels_], in + i * inner_ * in_bytes_, out + i * inner_ * out_bytes_, inner_);
      }
    });
  }

 private:
  kernels::affine::Kernel run_;
  Operand in_, out_;
  size_t in_bytes_, out_bytes_;
  size_t outer_ = 0, inner_ = 0, channels_ = 1;
  AlignedBuffer params_;
};

Status LoadAffine(StepArgs& args, bool quantize, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  const Dtype codes = quantize ? out.dtype : in.dtype;
  if ((quantize ? in.dtype : out.dtype) != Dtype::kFloat32)
    return args.Fail(Code::kTypeMismatch, "needs float32");
  if (in.count() != out.count()) return args.Fail(Code::kShapeMismatch, "input and output differ in size");
  Kind kind;
  int lowest = -128, highest = 127;
  switch (codes) {
    case Dtype::kInt8:
      kind = quantize ? Kind::kQuantizeS8 : Kind::kDequantizeS8;
      break;
    case Dtype::kUint8:
      kind = quantize ? Kind::kQuantizeU8 : Kind::kDequantizeU8;
      lowest = 0;
      highest = 255;
      break;
    case Dtype::kInt16:
      kind = quantize ? Kind::kQuantizeS16 : Kind::kDequantizeS16;
      lowest = -32768;
      highest = 32767;
      break;
    default:
      return args.Fail(Code::kUnsupported, "codes are int8, uint8 or int16");
  }
  size_t outer = 1, inner = 1, channels = 1;
  if (args.has("axis")) {
    LOWBIT_STEP_INT(axis, 0, in.rank - 1);
    for (int i = 0; i < in.rank; ++i) {
      (i < axis ? outer : i > axis ? inner : channels) *= static_cast<size_t>(in.dims[i]);
    }
  } else {
    inner = in.count();
  }
  if (channels == 0) channels = 1;  // an empty tensor
  Span<const float> scale;
  Span<const int32_t> zero_point;
  LOWBIT_RETURN_IF_ERROR(args.Floats("scale", channels, &scale));
  LOWBIT_RETURN_IF_ERROR(args.Ints("zero_point", channels, &zero_point));
  std::vector<Params> params(channels);
  for (size_t i = 0; i < channels; ++i) {
    if (!(scale[i] > 0) || zero_point[i] < lowest || zero_point[i] > highest) {
      return args.Fail(Code::kInvalid, "scale or zero point out of range");
    }
    params[i] = {scale[i], zero_point[i], lowest, highest};
  }
  auto made = std::make_unique<Affine>(dispatch::affine::Choose(kind, args.isa()), args.Bind(in),
                                       args.Bind(out), ElementBytes(in.dtype), ElementBytes(out.dtype));
  if (!in.count()) outer = inner = 0;
  if (!made->Arrange(outer, inner, params.data(), channels))
    return args.Fail(Code::kLimit, "no memory for the scales");
  *step = std::move(made);
  return Status();
}

template <typename T, typename U>
class Requantize final : public Step {
 public:
  Requantize(Operand in, Operand out, size_t count, int32_t multiplier, int shift, int32_t from_zero,
             int32_t to_zero)
      : in_(in),
        out_(out),
        count_(count),
        multiplier_(multiplier),
        shift_(shift),
        from_(from_zero),
        to_(to_zero) {
    kernel_ = "requantize.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const T* in = in_.In<T>(run);
    U* out = out_.Out<U>(run);
    using kernels::requantize::WrappingAdd;
    Split(run, count_, 8 << 10, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const int32_t scaled = kernels::requantize::MultiplyByQuantizedMultiplier(WrappingAdd(in[i], -from_),
                                                                                  multiplier_, shift_);
        out[i] = static_cast<U>(kernels::requantize::Clamp(
            WrappingAdd(scaled, to_), std::numeric_limits<U>::min(), std::numeric_limits<U>::max()));
      }
    });
  }

 private:
  Operand in_, out_;
  size_t count_;
  int32_t multiplier_;
  int shift_;
  int32_t from_, to_;
};

template <typename T>
Status LoadRequantizeFrom(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_STEP_INT(multiplier, 0, INT32_MAX);
  LOWBIT_STEP_INT(shift, -31, 30);
  LOWBIT_STEP_INT(from_zero, -32768, 32767);
  LOWBIT_STEP_INT(to_zero, -32768, 32767);
  const Operand in = args.Bind(args.input(0)), out = args.Bind(args.output(0));
  const size_t count = args.input(0).count();
  switch (args.output(0).dtype) {
    case Dtype::kInt8:
      *step = std::make_unique<Requantize<T, int8_t>>(in, out, count, multiplier, shift, from_zero, to_zero);
      return Status();
    case Dtype::kUint8:
      *step = std::make_unique<Requantize<T, uint8_t>>(in, out, count, multiplier, shift, from_zero, to_zero);
      return Status();
    case Dtype::kInt16:
      *step = std::make_unique<Requantize<T, int16_t>>(in, out, count, multiplier, shift, from_zero, to_zero);
      return Status();
    case Dtype::kInt32:
      *step = std::make_unique<Requantize<T, int32_t>>(in, out, count, multiplier, shift, from_zero, to_zero);
      return Status();
    default:
      return args.Fail(Code::kUnsupported, "does not give this type");
  }
}

}  // namespace

Status LoadQuantize(StepArgs& args, std::unique_ptr<Step>* step) { return LoadAffine(args, true, step); }

Status LoadDequantize(StepArgs& args, std::unique_ptr<Step>* step) { return LoadAffine(args, false, step); }

Status LoadRequantize(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  if (args.input(0).count() != args.output(0).count()) {
    return args.Fail(Code::kShapeMismatch, "input and output differ in size");
  }
  switch (args.input(0).dtype) {
    case Dtype::kInt8:
      return LoadRequantizeFrom<int8_t>(args, step);
    case Dtype::kUint8:
      return LoadRequantizeFrom<uint8_t>(args, step);
    case Dtype::kInt16:
      return LoadRequantizeFrom<int16_t>(args, step);
    case Dtype::kInt32:
      return LoadRequantizeFrom<int32_t>(args, step);
    default:
      return args.Fail(Code::kUnsupported, "does not take this type");
  }
}

}  // namespace lowbit::program::steps
