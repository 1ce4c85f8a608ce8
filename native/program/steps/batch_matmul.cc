// batch_matmul: [.., m, k] x [.., k, n] -> [.., m, n], leading dimensions broadcast; both sides may be
// computed.
//
// Types: float32 by the kernels of gemm_f32; int8 x int8 -> int8 with two roundings; int16 x int16 and int16 x
// int8 -> int16 by the 64-bit rule, where each output row is a sum of rows of the right side.
//
// Attributes: adjointA, adjointB (the operand's last two dimensions are the other way round); of float32 also
// interleavedA, interleavedB, interleavedOut (rows stand before the last leading dimension: [.., m, heads, k]). Float32
// may have a third input, a bias [n], computed too; then also lowReal and highReal.
#include "program/steps/batch_matmul.h"

#include <cstring>
#include <memory>

#include "kernels/requantize/signed_shift.h"
#include "kernels/requantize/wide.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {

namespace {

struct Requantization {
  int32_t zero_a = 0, zero_b = 0, zero_out = 0, multiplier = 0, low = 0, high = 0;
  int shift = 0;

  int8_t Code(int32_t sum) const {
    const int64_t scaled =
        int64_t{kernels::requantize::MultiplyByQuantizedMultiplier(sum, multiplier, shift)} + zero_out;
    return static_cast<int8_t>(std::min<int64_t>(std::max<int64_t>(scaled, low), high));
  }
  int16_t Code(int64_t sum) const {
    const int64_t scaled = int64_t{kernels::MultiplyWide(sum, multiplier, shift)} + zero_out;
    return static_cast<int16_t>(std::min<int64_t>(std::max<int64_t>(scaled, low), high));
  }
};

template <typename A, typename B, typename Sum>
class BatchMatmul final : public Step {
 public:
  BatchMatmul(const MatmulExtents& shape, const Requantization& requantization, const char* name)
      : shape_(shape), requantization_(requantization) {
    kernel_ = name;
  }

  void Run(const RunContext& run) const noexcept override {
    const A* a = a_.In<A>(run);
    const B* b = b_.In<B>(run);
    A* out = out_.Out<A>(run);
    const auto matrix = [&](size_t batch, int slot) {
      uint8_t* scratch = run.scratch + static_cast<size_t>(slot) * slot_bytes();
      Multiply(a + shape_.Begin(batch, shape_.a), b + shape_.Begin(batch, shape_.b),
               out + shape_.Begin(batch, shape_.out), reinterpret_cast<Sum*>(scratch),
               reinterpret_cast<B*>(scratch + sums_bytes()));
    };
    if (run.threads > 1 && shape_.batches * shape_.m * shape_.k * shape_.n >= kParallelMacs) {
      run.pool->For(shape_.batches, run.threads, matrix);
    } else {
      for (size_t batch = 0; batch < shape_.batches; ++batch) matrix(batch, 0);
    }
  }
  uint64_t scratch_bytes(int threads) const override { return static_cast<uint64_t>(threads) * slot_bytes(); }

  void Bind(StepArgs& args) {
    a_ = args.Bind(args.input(0));
    b_ = args.Bind(args.input(1));
    out_ = args.Bind(args.output(0));
  }

 private:
  uint64_t sums_bytes() const { return Aligned(uint64_t{shape_.n} * sizeof(Sum)); }
  uint64_t slot_bytes() const {
    return sums_bytes() + (shape_.adjoint_b ? Aligned(uint64_t{shape_.k} * shape_.n * sizeof(B)) : 0);
  }

  void Multiply(const A* a, const B* b, A* out, Sum* sums, B* turned) const {
    const size_t m = shape_.m, k = shape_.k, n = shape_.n;
    if (shape_.adjoint_b) {
      for (size_t j = 0; j < n; ++j) {
        for (size_t i = 0; i < k; ++i) turned[i * n + j] = b[j * k + i];
      }
      b = turned;
    }
    const Sum zero_a = static_cast<Sum>(requantization_.zero_a),
              zero_b = static_cast<Sum>(requantization_.zero_b);
    for (size_t row = 0; row < m; ++row) {
      for (size_t j = 0; j < n; ++j) sums[j] = 0;
      for (size_t i = 0; i < k; ++i) {
        const Sum factor = static_cast<Sum>(shape_.adjoint_a ? a[i * m + row] : a[row * k + i]) - zero_a;
        const B* line = b + i * n;
        for (size_t j = 0; j < n; ++j) Add(&sums[j], factor, static_cast<Sum>(line[j]) - zero_b);
      }
      for (size_t j = 0; j < n; ++j) out[row * n + j] = requantization_.Code(sums[j]);
    }
  }
  static void Add(int64_t* sum, int64_t x, int64_t y) { *sum += x * y; }
  static void Add(int32_t* sum, int32_t x, int32_t y) {  // wraps, as the reference's sums do
    *sum = static_cast<int32_t>(static_cast<uint32_t>(*sum) + static_cast<uint32_t>(x * y));
  }

  MatmulExtents shape_;
  Requantization requantization_;
  Operand a_, b_, out_;
};

// Extents of an operand: of its matrices as they lie, and of its leading dimensions, counted from the last one.
class Extents {
 public:
  Extents(const Tensor& tensor, bool is_interleaved)
      : tensor_(tensor), is_interleaved_(is_interleaved && tensor.rank > 2) {}

  size_t lines() const { return At(is_interleaved_ ? 3 : 2); }
  size_t line() const { return At(1); }
  size_t leading(int i) const { return At(i == 0 && is_interleaved_ ? 2 : 3 + i); }

  // Steps along the leading dimensions; none along those of extent 1, which broadcast.
  MatmulExtents::Side Side(int leading_count) const {
    MatmulExtents::Side side;
    side.line = is_interleaved_ ? line() * leading(0) : line();
    size_t step = is_interleaved_ ? line() : lines() * line();
    for (int i = 0; i < leading_count; ++i) {
      side.stride[leading_count - 1 - i] = leading(i) == 1 ? 0 : step;
      step *= leading(i) * (i == 0 && is_interleaved_ ? lines() : 1);
    }
    return side;
  }

 private:
  size_t At(int from_end) const {
    return from_end <= tensor_.rank ? static_cast<size_t>(tensor_.dims[tensor_.rank - from_end]) : size_t{1};
  }

  const Tensor& tensor_;
  bool is_interleaved_;
};

Status ReadShape(const StepArgs& args, MatmulExtents* shape) {
  const Tensor &a = args.input(0), &b = args.input(1), &out = args.output(0);
  int adjoint_a, adjoint_b, interleaved[3] = {0, 0, 0};
  LOWBIT_RETURN_IF_ERROR(args.Int("adjointA", 0, 1, &adjoint_a));
  LOWBIT_RETURN_IF_ERROR(args.Int("adjointB", 0, 1, &adjoint_b));
  if (a.dtype == Dtype::kFloat32) {
    LOWBIT_RETURN_IF_ERROR(args.Int("interleavedA", 0, 1, &interleaved[0]));
    LOWBIT_RETURN_IF_ERROR(args.Int("interleavedB", 0, 1, &interleaved[1]));
    LOWBIT_RETURN_IF_ERROR(args.Int("interleavedOut", 0, 1, &interleaved[2]));
  }
  if (a.rank < 2 || b.rank < 2 || out.rank != std::max(a.rank, b.rank)) {
    return args.Fail(Code::kShapeMismatch, "the ranks do not fit together");
  }
  const Extents left(a, interleaved[0]), right(b, interleaved[1]), result(out, interleaved[2]);
  shape->adjoint_a = adjoint_a != 0;
  shape->adjoint_b = adjoint_b != 0;
  shape->m = adjoint_a ? left.line() : left.lines();
  shape->k = adjoint_a ? left.lines() : left.line();
  shape->n = adjoint_b ? right.lines() : right.line();
  if ((adjoint_b ? right.line() : right.lines()) != shape->k || result.lines() != shape->m ||
      result.line() != shape->n) {
    return args.Fail(Code::kShapeMismatch, "rows and columns do not fit together");
  }
  shape->leading = out.rank - 2;
  for (int i = 0; i < shape->leading; ++i) {
    const size_t from_a = left.leading(i), from_b = right.leading(i), extent = result.leading(i);
    if ((from_a != extent && from_a != 1) || (from_b != extent && from_b != 1)) {
      return args.Fail(Code::kShapeMismatch, "the leading dimensions do not broadcast");
    }
    shape->extent[shape->leading - 1 - i] = extent;
    shape->batches *= extent;
  }
  shape->a = left.Side(shape->leading);
  shape->b = right.Side(shape->leading);
  shape->out = result.Side(shape->leading);
  return Status();
}

template <typename A, typename B, typename Sum>
Status Make(StepArgs& args, const MatmulExtents& shape, const Requantization& requantization,
            const char* name, std::unique_ptr<Step>* step) {
  auto made = std::make_unique<BatchMatmul<A, B, Sum>>(shape, requantization, name);
  made->Bind(args);
  *step = std::move(made);
  return Status();
}

}  // namespace

Status LoadBatchMatmul(StepArgs& args, std::unique_ptr<Step>* step) {
  const bool has_bias = args.input_count() == 3;
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, has_bias ? 3 : 2, 1));
  MatmulExtents shape;
  LOWBIT_RETURN_IF_ERROR(ReadShape(args, &shape));
  const Dtype a = args.input(0).dtype, b = args.input(1).dtype;
  if (args.output(0).dtype != a)
    return args.Fail(Code::kTypeMismatch, "left side and output must have one type");
  Requantization r;
  if (a == Dtype::kFloat32 && b == Dtype::kFloat32) return LoadRealBatchMatmul(args, shape, step);
  if (has_bias) return args.Fail(Code::kTypeMismatch, "only products of float32 take a bias");
  const bool is_wide = a == Dtype::kInt16;
  const int low = is_wide ? -32768 : -128, high = is_wide ? 32767 : 127;
  LOWBIT_RETURN_IF_ERROR(args.Int("zeroA", low, high, &r.zero_a));
  LOWBIT_RETURN_IF_ERROR(args.Int("zeroB", -32768, 32767, &r.zero_b));
  LOWBIT_RETURN_IF_ERROR(args.Int("zeroOut", low, high, &r.zero_out));
  LOWBIT_RETURN_IF_ERROR(args.Int("multiplier", 0, INT32_MAX, &r.multiplier));
  LOWBIT_RETURN_IF_ERROR(args.Int("shift", -31, is_wide ? 7 : 30, &r.shift));
  r.low = low;
  r.high = high;
  if (a == Dtype::kInt8 && b == Dtype::kInt8) {
    if (r.zero_b < -128 || r.zero_b > 127) return args.Fail(Code::kInvalid, "zeroB is out of range");
    return Make<int8_t, int8_t, int32_t>(args, shape, r, "batch_matmul.s8s8.scalar", step);
  }
  if (is_wide && b == Dtype::kInt16) {
    return Make<int16_t, int16_t, int64_t>(args, shape, r, "batch_matmul.s16s16.scalar", step);
  }
  if (is_wide && b == Dtype::kInt8) {
    return Make<int16_t, int8_t, int64_t>(args, shape, r, "batch_matmul.s16s8.scalar", step);
  }
  return args.Fail(Code::kTypeMismatch, "no kernel takes these types");
}

}  // namespace lowbit::program::steps
