// batch_matmul: [.., m, k] x [.., k, n] -> [.., m, n], leading dimensions broadcast; both sides may be
// computed.
//
// Types: float32 by the kernels of gemm_f32; int8 x int8 -> int8 with two roundings; int16 x int16 and int16 x
// int8 -> int16 by the 64-bit rule, where each output row is a sum of rows of the right side.
#include <cstring>
#include <limits>
#include <memory>

#include "dispatch/gemm_f32.h"
#include "kernels/requantize/signed_shift.h"
#include "kernels/requantize/wide.h"
#include "program/steps/common.h"
#include "program/steps/gemm_families.h"

namespace lowbit::program::steps {

namespace {

constexpr int kMostLeading = kMaxRank - 2;

struct Shape {
  size_t m = 0, k = 0, n = 0, batches = 1;
  bool adjoint_a = false, adjoint_b = false;
  int leading = 0;
  size_t extent[kMostLeading] = {}, stride_a[kMostLeading] = {}, stride_b[kMostLeading] = {};  // matrices

  // Index of the matrix of `a` or `b` that output matrix `batch` takes.
  size_t Index(size_t batch, const size_t* stride) const {
    size_t index = 0;
    for (int i = leading; i-- > 0; batch /= extent[i]) index += batch % extent[i] * stride[i];
    return index;
  }
};

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
  BatchMatmul(const Shape& shape, const Requantization& requantization, const char* name)
      : shape_(shape), requantization_(requantization) {
    kernel_ = name;
  }

  void Run(const RunContext& run) const noexcept override {
    const A* a = a_.In<A>(run);
    const B* b = b_.In<B>(run);
    A* out = out_.Out<A>(run);
    const auto matrix = [&](size_t batch, int slot) {
      uint8_t* scratch = run.scratch + static_cast<size_t>(slot) * slot_bytes();
      Multiply(a + shape_.Index(batch, shape_.stride_a) * shape_.m * shape_.k,
               b + shape_.Index(batch, shape_.stride_b) * shape_.k * shape_.n,
               out + batch * shape_.m * shape_.n, reinterpret_cast<Sum*>(scratch),
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

  Shape shape_;
  Requantization requantization_;
  Operand a_, b_, out_;
};

// Float32: the right side is packed panel by panel, the rows of the left side pass over each.
class RealBatchMatmul final : public Step {
 public:
  RealBatchMatmul(const Shape& shape, const kernels::gemm_f32::Row& row) : shape_(shape), row_(row) {
    kernel_ = row.name;
  }

  void Run(const RunContext& run) const noexcept override {
    const float* a = a_.In<float>(run);
    const float* b = b_.In<float>(run);
    float* out = out_.Out<float>(run);
    const auto matrix = [&](size_t batch, int slot) {
      Multiply(a + shape_.Index(batch, shape_.stride_a) * shape_.m * shape_.k,
               b + shape_.Index(batch, shape_.stride_b) * shape_.k * shape_.n,
               out + batch * shape_.m * shape_.n,
               reinterpret_cast<float*>(run.scratch + static_cast<size_t>(slot) * slot_bytes()));
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
  size_t panel_bytes() const {
    return DivideUp(shape_.k * static_cast<size_t>(row_.nr) * sizeof(float), 64) * 64;
  }
  size_t rows_bytes() const {
    return shape_.adjoint_a ? DivideUp(shape_.m * shape_.k * sizeof(float), 64) * 64 : 0;
  }
  size_t slot_bytes() const {
    return panel_bytes() + rows_bytes() + DivideUp(shape_.m * sizeof(const float*), 64) * 64;
  }

  void Multiply(const float* a, const float* b, float* out, float* panel) const {
    static constexpr float kNoBias[64] = {};
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const size_t m = shape_.m, k = shape_.k, n = shape_.n, nr = static_cast<size_t>(row_.nr);
    if (shape_.adjoint_a) {
      float* rows = panel + panel_bytes() / sizeof(float);
      for (size_t i = 0; i < k; ++i) {
        for (size_t row = 0; row < m; ++row) rows[row * k + i] = a[i * m + row];
      }
      a = rows;
    }
    const size_t channel_stride = shape_.adjoint_b ? k : 1, depth_stride = shape_.adjoint_b ? 1 : n;
    const float** rows =
        reinterpret_cast<const float**>(panel + (panel_bytes() + rows_bytes()) / sizeof(float));
    for (size_t i = 0; i < m; ++i) rows[i] = a + i * k;
    static constexpr ptrdiff_t kOneRun = 0;
    kernels::gemm_f32::Block block{};
    block.lhs = rows;
    block.runs = &kOneRun;
    block.run_count = 1;
    block.run_depth = static_cast<int>(k);
    block.packed = panel;
    block.out_stride = static_cast<ptrdiff_t>(n);
    block.rows = m;
    for (size_t column = 0; column < n; column += nr) {
      block.cols = std::min(nr, n - column);
      block.out = out + column;
      row_.pack(b + column * channel_stride, channel_stride, depth_stride, block.cols, k, panel);
      row_.run(block, {kNoBias, -kInfinity, kInfinity});
    }
  }

  Shape shape_;
  const kernels::gemm_f32::Row& row_;
  Operand a_, b_, out_;
};

Status ReadShape(const StepArgs& args, Shape* shape) {
  const Tensor &a = args.input(0), &b = args.input(1), &out = args.output(0);
  int adjoint_a, adjoint_b;
  LOWBIT_RETURN_IF_ERROR(args.Int("adjointA", 0, 1, &adjoint_a));
  LOWBIT_RETURN_IF_ERROR(args.Int("adjointB", 0, 1, &adjoint_b));
  if (a.rank < 2 || b.rank < 2 || out.rank != std::max(a.rank, b.rank)) {
    return args.Fail(Code::kShapeMismatch, "the ranks do not fit together");
  }
  const auto at = [](const Tensor& tensor, int from_end) {
    return from_end <= tensor.rank ? static_cast<size_t>(tensor.dims[tensor.rank - from_end]) : size_t{1};
  };
  shape->adjoint_a = adjoint_a != 0;
  shape->adjoint_b = adjoint_b != 0;
  shape->m = at(a, adjoint_a ? 1 : 2);
  shape->k = at(a, adjoint_a ? 2 : 1);
  shape->n = at(b, adjoint_b ? 2 : 1);
  if (at(b, adjoint_b ? 1 : 2) != shape->k || at(out, 2) != shape->m || at(out, 1) != shape->n) {
    return args.Fail(Code::kShapeMismatch, "rows and columns do not fit together");
  }
  shape->leading = out.rank - 2;
  size_t step_a = 1, step_b = 1;
  for (int i = shape->leading; i-- > 0;) {
    const size_t from_a = at(a, out.rank - i), from_b = at(b, out.rank - i), extent = at(out, out.rank - i);
    if ((from_a != extent && from_a != 1) || (from_b != extent && from_b != 1)) {
      return args.Fail(Code::kShapeMismatch, "the leading dimensions do not broadcast");
    }
    shape->extent[i] = extent;
    shape->stride_a[i] = from_a == 1 ? 0 : step_a;
    shape->stride_b[i] = from_b == 1 ? 0 : step_b;
    step_a *= from_a;
    step_b *= from_b;
    shape->batches *= extent;
  }
  return Status();
}

template <typename A, typename B, typename Sum>
Status Make(StepArgs& args, const Shape& shape, const Requantization& requantization, const char* name,
            std::unique_ptr<Step>* step) {
  auto made = std::make_unique<BatchMatmul<A, B, Sum>>(shape, requantization, name);
  made->Bind(args);
  *step = std::move(made);
  return Status();
}

}  // namespace

Status LoadBatchMatmul(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  Shape shape;
  LOWBIT_RETURN_IF_ERROR(ReadShape(args, &shape));
  const Dtype a = args.input(0).dtype, b = args.input(1).dtype;
  if (args.output(0).dtype != a)
    return args.Fail(Code::kTypeMismatch, "left side and output must have one type");
  Requantization r;
  if (a == Dtype::kFloat32 && b == Dtype::kFloat32) {
    auto made = std::make_unique<RealBatchMatmul>(shape, dispatch::gemm_f32::Choose(shape.n, args.isa()));
    made->Bind(args);
    *step = std::move(made);
    return Status();
  }
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
