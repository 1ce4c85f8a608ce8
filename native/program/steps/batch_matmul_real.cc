// batch_matmul of float32.
//
// The right side is packed panel by panel (kernels/gemm_f32), the rows of the left side pass over each. A left side that
// lies the other way round beside a right side that does not is a sum of outer products (kernels/outer_f32): both are
// read as they lie.
#include <algorithm>
#include <limits>

#include "dispatch/gemm_f32.h"
#include "dispatch/outer_f32.h"
#include "program/steps/batch_matmul.h"
#include "program/steps/common.h"
#include "program/steps/gemm_families.h"

namespace lowbit::program::steps {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Who works on what: matrices, and parts of their rows and columns.
struct Parts {
  size_t batches, rows, columns;
  size_t count() const { return batches * rows * columns; }
};

// Parts for so many threads, of matrices of `rows` x `columns` units.
Parts PartsOf(const MatmulExtents& e, size_t rows, size_t columns, int threads) {
  const uint64_t macs = Times(Times(e.batches, e.m), Times(e.k, e.n));
  const size_t wanted =
      threads > 1 && macs >= kParallelMacs ? kChunksPerThread * static_cast<size_t>(threads) : 1;
  Parts parts{e.batches, 1, 1};
  if (e.batches == 0 || e.batches >= wanted) return parts;
  parts.columns = std::max<size_t>(1, std::min(columns, DivideUp(wanted, e.batches)));
  parts.rows = std::max<size_t>(1, std::min(rows, DivideUp(wanted, e.batches * parts.columns)));
  return parts;
}

template <typename Work>
void ForParts(const RunContext& run, const Parts& parts, const Work& work) {
  const auto part = [&](size_t i, int slot) {
    const size_t row = i / parts.columns % parts.rows, column = i % parts.columns;
    work(i / parts.columns / parts.rows, row, column, slot);
  };
  if (run.threads > 1 && parts.count() > 1) return run.pool->For(parts.count(), run.threads, part);
  for (size_t i = 0; i < parts.count(); ++i) part(i, 0);
}

// Where units [begin, end) of part `i` of `parts` lie.
struct Range {
  Range(size_t count, size_t i, size_t parts) : begin(count * i / parts), end(count * (i + 1) / parts) {}
  size_t begin, end;
};

class PackedMatmul final : public Step {
 public:
  PackedMatmul(const MatmulExtents& extents, const kernels::gemm_f32::Row& row, int threads)
      : e_(extents), row_(row), panels_(DivideUp(extents.n, static_cast<size_t>(row.nr))) {
    kernel_ = row.name;
    // A panel is packed for each part of the rows: these are to be worth it. Rows that are turned are so once.
    constexpr size_t kLeastRows = 64;
    parts_ = PartsOf(e_, e_.adjoint_a ? 1 : e_.m / kLeastRows, e_.adjoint_a ? 1 : panels_, threads);
  }
  bool has_bias = false;
  float low = -kInfinity, high = kInfinity;

  void Run(const RunContext& run) const noexcept override {
    ForParts(run, parts_, [&](size_t batch, size_t row, size_t column, int slot) {
      Multiply(run, batch, Range(e_.m, row, parts_.rows), Range(panels_, column, parts_.columns),
               run.scratch + static_cast<size_t>(slot) * slot_bytes());
    });
  }
  uint64_t scratch_bytes(int threads) const override {
    return Times(static_cast<uint64_t>(threads), slot_bytes());
  }

  void Bind(StepArgs& args) {
    a_ = args.Bind(args.input(0));
    b_ = args.Bind(args.input(1));
    if (has_bias) bias_ = args.Bind(args.input(2));
    out_ = args.Bind(args.output(0));
  }

 private:
  static constexpr size_t kMostColumns = 64;  // of a panel
  uint64_t panel_bytes() const { return Aligned(Times(e_.k, static_cast<size_t>(row_.nr) * sizeof(float))); }
  uint64_t rows_bytes() const { return e_.adjoint_a ? Aligned(Times(Times(e_.m, e_.k), sizeof(float))) : 0; }
  uint64_t slot_bytes() const {
    return Plus(Plus(panel_bytes(), rows_bytes()), Aligned(Times(e_.m, sizeof(const float*))));
  }

  void Multiply(const RunContext& run, size_t batch, Range lines, Range panels, uint8_t* scratch) const {
    const float* a = a_.In<float>(run) + e_.Begin(batch, e_.a);
    const float* b = b_.In<float>(run) + e_.Begin(batch, e_.b);
    float* out = out_.Out<float>(run) + e_.Begin(batch, e_.out) + lines.begin * e_.out.line;
    float* const panel = reinterpret_cast<float*>(scratch);
    size_t line_a = e_.a.line;
    if (e_.adjoint_a) {
      float* const turned = reinterpret_cast<float*>(scratch + panel_bytes());
      for (size_t i = 0; i < e_.k; ++i)
        for (size_t row = 0; row < e_.m; ++row) turned[row * e_.k + i] = a[i * e_.a.line + row];
      a = turned;
      line_a = e_.k;
    }
    const size_t channel_stride = e_.adjoint_b ? e_.b.line : 1, depth_stride = e_.adjoint_b ? 1 : e_.b.line;
    const float** rows = reinterpret_cast<const float**>(scratch + panel_bytes() + rows_bytes());
    PointRows(a + lines.begin * line_a, line_a, lines.end - lines.begin, rows);
    static constexpr ptrdiff_t kOneRun = 0;
    kernels::gemm_f32::Block block{};
    block.lhs = rows;
    block.runs = &kOneRun;
    block.run_count = 1;
    block.run_depth = static_cast<int>(e_.k);
    block.packed = panel;
    block.out_stride = static_cast<ptrdiff_t>(e_.out.line);
    block.rows = lines.end - lines.begin;
    const size_t nr = static_cast<size_t>(row_.nr), end = std::min(e_.n, panels.end * nr);
    for (size_t column = panels.begin * nr; column < end; column += nr) {
      block.cols = std::min(nr, e_.n - column);
      block.out = out + column;
      row_.pack(b + column * channel_stride, channel_stride, depth_stride, block.cols, e_.k, panel);
      float bias[kMostColumns] = {};
      if (has_bias) std::copy_n(bias_.In<float>(run) + column, block.cols, bias);
      row_.run(block, {bias, low, high});
    }
  }

  MatmulExtents e_;
  const kernels::gemm_f32::Row& row_;
  size_t panels_;
  Parts parts_;
  Operand a_, b_, bias_, out_;
};

class OuterMatmul final : public Step {
 public:
  OuterMatmul(const MatmulExtents& extents, const kernels::outer_f32::Row& row, int threads)
      : e_(extents), row_(row) {
    kernel_ = row.name;
    tiles_ = DivideUp(e_.m, tile_rows());
    parts_ = PartsOf(e_, tiles_, 1, threads);
  }

  void Run(const RunContext& run) const noexcept override {
    ForParts(run, parts_, [&](size_t batch, size_t row, size_t, int) {
      const Range tiles(tiles_, row, parts_.rows);
      Multiply(run, batch, tiles.begin * tile_rows(), std::min(e_.m, tiles.end * tile_rows()));
    });
  }
  void Bind(StepArgs& args) {
    a_ = args.Bind(args.input(0));
    b_ = args.Bind(args.input(1));
    out_ = args.Bind(args.output(0));
  }

 private:
  size_t tile_rows() const { return 3 * static_cast<size_t>(row_.mr); }

  // Rows [begin, end) of a matrix. Some lines of both sides at a time, which stay in the second-level cache.
  void Multiply(const RunContext& run, size_t batch, size_t begin, size_t end) const {
    constexpr size_t kLineBytes = 256 * 1024;
    const float* a = a_.In<float>(run) + e_.Begin(batch, e_.a);
    const float* b = b_.In<float>(run) + e_.Begin(batch, e_.b);
    float* out = out_.Out<float>(run) + e_.Begin(batch, e_.out);
    for (size_t row = begin; row < end; ++row) std::fill_n(out + row * e_.out.line, e_.n, 0.0f);
    const size_t some = kLineBytes / ((e_.n + end - begin) * sizeof(float) + 1) + 1;
    kernels::outer_f32::Call call{};
    call.lhs_step = static_cast<ptrdiff_t>(e_.a.line);
    call.rhs_step = static_cast<ptrdiff_t>(e_.b.line);
    call.out_stride = static_cast<ptrdiff_t>(e_.out.line);
    call.lines = 1;
    call.cols = e_.n;
    for (size_t line = 0; line < e_.k; line += some) {
      call.depth = std::min(some, e_.k - line);
      call.rhs = b + line * e_.b.line;
      for (size_t row = begin; row < end; row += tile_rows()) {
        call.lhs = a + line * e_.a.line + row;
        call.rows = std::min(tile_rows(), end - row);
        call.out = out + row * e_.out.line;
        row_.run(call);
      }
    }
  }

  MatmulExtents e_;
  const kernels::outer_f32::Row& row_;
  size_t tiles_;
  Parts parts_;
  Operand a_, b_, out_;
};

Status ReadBias(const StepArgs& args, const MatmulExtents& extents, PackedMatmul* step) {
  const Tensor& bias = args.input(2);
  if (bias.dtype != Dtype::kFloat32 || bias.count() != extents.n)
    return args.Fail(Code::kShapeMismatch, "the bias must be float32, one entry a column");
  step->has_bias = true;
  return ReadRealClamp(args, &step->low, &step->high);
}

}  // namespace

Status LoadRealBatchMatmul(StepArgs& args, const MatmulExtents& extents, std::unique_ptr<Step>* step) {
  if (extents.k > kMostDepth) return args.Fail(Code::kUnsupported, "more than 2^28 columns of the left side");
  if (args.input_count() == 2 && extents.adjoint_a && !extents.adjoint_b) {
    auto made =
        std::make_unique<OuterMatmul>(extents, dispatch::outer_f32::Choose(args.isa()), args.threads());
    made->Bind(args);
    *step = std::move(made);
    return Status();
  }
  const kernels::gemm_f32::Row& row = dispatch::gemm_f32::Choose(extents.n, args.isa());
  auto made = std::make_unique<PackedMatmul>(extents, row, args.threads());
  if (args.input_count() == 3) LOWBIT_RETURN_IF_ERROR(ReadBias(args, extents, made.get()));
  LOWBIT_RETURN_IF_ERROR(args.Fits(made->scratch_bytes(args.threads())));
  made->Bind(args);
  *step = std::move(made);
  return Status();
}

}  // namespace lowbit::program::steps
