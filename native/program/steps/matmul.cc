// The GEMM driver.
#include "program/steps/matmul.h"

#include <algorithm>

#include "dispatch/gemm.h"

namespace lowbit::program::steps {

using kernels::gemm::Tile;

namespace {

// A gathered block stays in the second-level cache while the panels pass over it.
constexpr size_t kBlockBytes = 96 * 1024;
// Handing work to other threads pays from about 20 microseconds on.
constexpr size_t kParallelMacs = 2 * 1000 * 1000;
constexpr size_t kChunksPerThread = 4;
constexpr size_t kMostDepth = size_t{1} << 28;

size_t DivideUp(size_t a, size_t b) { return (a + b - 1) / b; }

// Whether every weight fits the int8 layout.
bool FitInt8(const kernels::gemm::WeightView& weights, size_t channels, size_t depth) {
  if (!weights.is_unsigned && weights.zero_point == 0) return true;
  for (size_t n = 0; n < channels; ++n) {
    for (size_t k = 0; k < depth; ++k) {
      const int32_t w = weights.At(n, k);
      if (w < -128 || w > 127) return false;
    }
  }
  return true;
}

}  // namespace

Status Matmul::Load(const StepArgs& args, const MatmulShape& shape, const QuantizedLayer& layer) {
  if (shape.depth > kMostDepth)
    return args.Fail(Code::kUnsupported, "more than 2^28 weights an output channel");
  shape_ = shape;
  output_ = layer.output;
  const bool fit = FitInt8(layer.weights, shape.groups * shape.channels, shape.depth);
  row_ = &dispatch::gemm::Choose({shape.rows, shape.channels, shape.depth, fit}, args.isa());
  padded_depth_ = kernels::gemm::PaddedDepth(*row_, shape.depth);
  panels_ = kernels::gemm::PanelCount(*row_, shape.channels);
  panel_bytes_ = kernels::gemm::PanelBytes(*row_, shape.depth);

  // One layout for all groups: each group's channels are padded to whole panels.
  const size_t nr = static_cast<size_t>(row_->nr), padded_channels = panels_ * nr;
  if (!packed_.Allocate(shape.groups * panels_ * panel_bytes_)) {
    return args.Fail(Code::kLimit, "no memory for packed weights");
  }
  for (size_t g = 0; g < shape.groups; ++g) {
    kernels::gemm::WeightView group = layer.weights;
    group.codes += g * shape.channels * group.channel_stride;
    kernels::gemm::Pack(*row_, group, shape.channels, shape.depth,
                        packed_.data() + g * panels_ * panel_bytes_);
  }
  const auto channel_of = [&](size_t i) {
    const size_t n = i % padded_channels;
    return n < shape.channels ? i / padded_channels * shape.channels + n : SIZE_MAX;
  };
  if (!PackChannels(layer, shape.groups * padded_channels, shape.depth, channel_of, &channels_)) {
    return args.Fail(Code::kLimit, "no memory for channel constants");
  }

  const size_t mr = static_cast<size_t>(row_->mr);
  const size_t threads = static_cast<size_t>(args.threads());
  parallel_ = threads > 1 && shape.rows * shape.groups * shape.channels * shape.depth >= kParallelMacs;
  const size_t wanted = parallel_ ? kChunksPerThread * threads : 1;
  const size_t row_bytes = std::max<size_t>(padded_depth_, 1) * sizeof(int16_t);
  size_t blocks = std::max(DivideUp(shape.rows * row_bytes, kBlockBytes), DivideUp(wanted, shape.groups));
  blocks = std::min(blocks, DivideUp(shape.rows, mr));
  block_rows_ = blocks ? DivideUp(DivideUp(shape.rows, blocks), mr) * mr : 0;
  row_blocks_ = block_rows_ ? DivideUp(shape.rows, block_rows_) : 0;
  const size_t chunks = row_blocks_ * shape.groups;
  panel_splits_ = chunks ? std::min(panels_, DivideUp(wanted, chunks)) : 0;
  scratch_per_slot_ = DivideUp(block_rows_ * row_bytes, 64) * 64;
  return Status();
}

struct Matmul::Job {
  const RunContext* run;
  Gather gather;
  const void* context;
  const int8_t* input;
  int8_t* output;
};

void Matmul::RunChunk(const Job& job, size_t index, int slot) const noexcept {
  const size_t split = index % panel_splits_, group = index / panel_splits_ % shape_.groups;
  const size_t first = index / panel_splits_ / shape_.groups * block_rows_;
  const size_t count = std::min(block_rows_, shape_.rows - first);
  int16_t* rows =
      reinterpret_cast<int16_t*>(job.run->scratch + static_cast<size_t>(slot) * scratch_per_slot_);
  job.gather(job.context, job.input, group, first, count, padded_depth_, rows);

  const size_t nr = static_cast<size_t>(row_->nr), out_stride = shape_.groups * shape_.channels;
  const size_t tiles = DivideUp(count, static_cast<size_t>(row_->mr));
  Tile tile{};
  tile.lhs_stride = static_cast<ptrdiff_t>(padded_depth_);
  tile.out_stride = static_cast<ptrdiff_t>(out_stride);
  tile.depth = static_cast<int>(padded_depth_);
  const size_t last = panels_ * (split + 1) / panel_splits_;
  for (size_t panel = panels_ * split / panel_splits_; panel < last; ++panel) {
    tile.packed = packed_.data() + (group * panels_ + panel) * panel_bytes_;
    tile.channel = (group * panels_ + panel) * nr;
    tile.cols = static_cast<int>(std::min(nr, shape_.channels - panel * nr));
    int8_t* out = job.output + first * out_stride + group * shape_.channels + panel * nr;
    for (size_t t = 0; t < tiles; ++t) {  // rows are shared out evenly: no short last tile
      const size_t from = count * t / tiles;
      tile.rows = static_cast<int>(count * (t + 1) / tiles - from);
      tile.lhs = rows + from * padded_depth_;
      tile.out = out + from * out_stride;
      row_->run(tile, channels_.channels(), output_);
    }
  }
}

void Matmul::Run(const RunContext& run, Gather gather, const void* context, const int8_t* input,
                 int8_t* output) const noexcept {
  const Job job = {&run, gather, context, input, output};
  const size_t chunks = row_blocks_ * shape_.groups * panel_splits_;
  if (!parallel_) {
    for (size_t i = 0; i < chunks; ++i) RunChunk(job, i, 0);
  } else {
    run.pool->For(chunks, run.threads, [&](size_t i, int slot) { RunChunk(job, i, slot); });
  }
}

}  // namespace lowbit::program::steps
