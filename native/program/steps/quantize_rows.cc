// `quantize_rows`: rows of float32 as int8 codes, for fully connected layers that share an input. Inputs: x. Outputs:
// codes, a scale and a zero point a row. Attributes: depth (of a row), asymmetric (0: zero points are 0).
#include "program/steps/quantize_rows.h"

#include <algorithm>

#include "dispatch/rows_f32.h"
#include "kernels/rows_f32/scalar.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {

void QuantizeRows(const RunContext& run, const kernels::rows_f32::Row& row, bool is_asymmetric,
                  const float* values, size_t rows, size_t depth, int8_t* codes, float* scales,
                  int32_t* zero_points) {
  Split(run, rows, (8 << 10) / (depth + 1), [&](size_t begin, size_t end) {
    const float* part = values + begin * depth;
    int8_t* out = codes + begin * depth;
    if (is_asymmetric) {
      row.quantize_asymmetric(part, end - begin, depth, out, scales + begin, zero_points + begin);
    } else {
      row.quantize_symmetric(part, end - begin, depth, out, scales + begin);
      std::fill(zero_points + begin, zero_points + end, 0);
    }
  });
}

void QuantizeRowSymmetric(const float* values, size_t count, int8_t* codes, float* scale) {
  kernels::rows_f32::kScalar.first->quantize_symmetric(values, 1, count, codes, scale);
}

void QuantizeRowAsymmetric(const float* values, size_t count, int8_t* codes, float* scale,
                           int32_t* zero_point) {
  kernels::rows_f32::kScalar.first->quantize_asymmetric(values, 1, count, codes, scale, zero_point);
}

namespace {

class QuantizeRowsStep final : public Step {
 public:
  QuantizeRowsStep(StepArgs& args, size_t rows, size_t depth, bool is_asymmetric)
      : in_(args.Bind(args.input(0))),
        codes_(args.Bind(args.output(0))),
        scales_(args.Bind(args.output(1))),
        zero_points_(args.Bind(args.output(2))),
        rows_(rows),
        depth_(depth),
        is_asymmetric_(is_asymmetric),
        row_(dispatch::rows_f32::Choose(args.isa())) {
    kernel_ = row_.name;
  }
  void Run(const RunContext& run) const noexcept override {
    QuantizeRows(run, row_, is_asymmetric_, in_.In<float>(run), rows_, depth_, codes_.Out<int8_t>(run),
                 scales_.Out<float>(run), zero_points_.Out<int32_t>(run));
  }

 private:
  Operand in_, codes_, scales_, zero_points_;
  size_t rows_, depth_;
  bool is_asymmetric_;
  const kernels::rows_f32::Row& row_;
};

}  // namespace

Status LoadQuantizeRows(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 3));
  LOWBIT_STEP_INT(depth, 1, INT32_MAX);
  LOWBIT_STEP_INT(asymmetric, 0, 1);
  const Tensor &in = args.input(0), &codes = args.output(0), &scales = args.output(1),
               &zero_points = args.output(2);
  if (in.dtype != Dtype::kFloat32 || codes.dtype != Dtype::kInt8 || scales.dtype != Dtype::kFloat32 ||
      zero_points.dtype != Dtype::kInt32) {
    return args.Fail(Code::kTypeMismatch, "takes float32 and gives int8 codes, float32 and int32");
  }
  const size_t length = static_cast<size_t>(depth), rows = in.count() / length;
  if (in.count() != rows * length || codes.count() != in.count() || scales.count() != rows ||
      zero_points.count() != rows) {
    return args.Fail(Code::kShapeMismatch, "elements of input and outputs do not fit together");
  }
  *step = std::make_unique<QuantizeRowsStep>(args, rows, length, asymmetric != 0);
  return Status();
}

}  // namespace lowbit::program::steps
