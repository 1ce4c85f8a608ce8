// `set_diagonal`: matrices with another diagonal. Inputs: matrices (absent: zeros), diagonals. Output:
// batches x rows x cols.
//
// Source: LiteRT kernels/matrix_diag.cc, matrix_set_diag.cc.
#include <cstring>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

class SetDiagonal final : public Step {
 public:
  SetDiagonal(bool has_matrices, Operand matrices, Operand diagonals, Operand out, size_t element)
      : has_matrices_(has_matrices),
        matrices_(matrices),
        diagonals_(diagonals),
        out_(out),
        element_(element) {
    kernel_ = "set_diagonal";
  }
  size_t batches = 0, rows = 0, cols = 0;

  void Run(const RunContext& run) const noexcept override {
    const uint8_t* diagonal = diagonals_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    const size_t matrix_bytes = rows * cols * element_, count = std::min(rows, cols);
    if (has_matrices_)
      std::memcpy(out, matrices_.In<uint8_t>(run), batches * matrix_bytes);
    else
      std::memset(out, 0, batches * matrix_bytes);
    for (size_t batch = 0; batch < batches; ++batch, out += matrix_bytes) {
      for (size_t i = 0; i < count; ++i, diagonal += element_)
        std::memcpy(out + i * (cols + 1) * element_, diagonal, element_);
    }
  }

 private:
  bool has_matrices_;
  Operand matrices_, diagonals_, out_;
  size_t element_;
};

}  // namespace

Status LoadSetDiagonal(StepArgs& args, std::unique_ptr<Step>* step) {
  if (args.input_count() != 2 || !args.has_input(1) || args.output_count() != 1)
    return args.Fail(Code::kInvalid, "takes matrices and diagonals");
  const Tensor &diagonals = args.input(1), &out = args.output(0);
  const bool has_matrices = args.has_input(0);
  const size_t element = ElementBytes(out.dtype);
  if (diagonals.dtype != out.dtype || element == 0 || (has_matrices && args.input(0).dtype != out.dtype))
    return args.Fail(Code::kTypeMismatch, "takes and gives one type of whole bytes");
  if (out.rank < 2 || (has_matrices && !SameShape(args.input(0), out)))
    return args.Fail(Code::kShapeMismatch, "matrices and output differ in shape");
  auto loaded =
      std::make_unique<SetDiagonal>(has_matrices, has_matrices ? args.Bind(args.input(0)) : Operand(),
                                    args.Bind(diagonals), args.Bind(out), element);
  loaded->rows = static_cast<size_t>(out.dims[out.rank - 2]);
  loaded->cols = static_cast<size_t>(out.dims[out.rank - 1]);
  loaded->batches = 1;
  for (int i = 0; i + 2 < out.rank; ++i) loaded->batches *= static_cast<size_t>(out.dims[i]);
  if (!out.count()) loaded->batches = 0;
  if (out.count() && diagonals.count() != loaded->batches * std::min(loaded->rows, loaded->cols))
    return args.Fail(Code::kShapeMismatch, "the diagonals have another size");
  *step = std::move(loaded);
  return Status();
}

}  // namespace lowbit::program::steps
