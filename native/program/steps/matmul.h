// Runs a GEMM kernel over a whole layer: rows are gathered block by block into scratch memory, every panel of
// weights passes over the block, blocks and panels are shared among threads.
//
// One driver serves all families of kernels (gemm_families.h). A family F names
//   Lhs, Out      element types of gathered rows and of the output
//   Row           its kernel row
//   Constants     the layer's per-channel constants; Runtime: what one run adds
//   Run(row, tile, constants, runtime, first_row)
#pragma once

#include <algorithm>

#include "kernels/gemm/tile.h"
#include "program/step.h"

namespace lowbit::program::steps {

struct MatmulShape {
  size_t rows;      // output pixels, or batch
  size_t groups;    // of a grouped convolution; channels and depth are those of one group
  size_t channels;  // columns
  size_t depth;
};

// Writes rows [first, first + count) of a group's left-hand side, `stride` elements apart; entries
// [depth, stride) of each row must be zero.
template <typename Lhs>
using Gather = void (*)(const void* context, const void* input, size_t group, size_t first, size_t count,
                        size_t stride, Lhs* rows) noexcept;

// Sizes without overflow: what is beyond all memory stays there.
constexpr uint64_t kTooMuch = uint64_t{1} << 62;
inline uint64_t Times(uint64_t a, uint64_t b) { return b > 0 && a > kTooMuch / b ? kTooMuch : a * b; }
inline uint64_t Plus(uint64_t a, uint64_t b) {
  return a > kTooMuch - std::min(b, kTooMuch) ? kTooMuch : a + b;
}

inline size_t DivideUp(size_t a, size_t b) { return (a + b - 1) / b; }

// Bytes of scratch memory, up to a boundary of 64.
inline uint64_t Aligned(uint64_t bytes) { return (bytes + 63) / 64 * 64; }

// Handing work to other threads pays from about 20 microseconds on.
constexpr size_t kParallelMacs = 2 * 1000 * 1000;
constexpr size_t kChunksPerThread = 4;

template <typename F>
class Matmul {
 public:
  using Lhs = typename F::Lhs;
  using Out = typename F::Out;
  using Row = typename F::Row;
  using Constants = typename F::Constants;
  using Runtime = typename F::Runtime;

  // Fixes blocks and panels; the caller then packs the weights and fills the constants, group g's channel n
  // at entry g * padded_channels() + n.
  // Refuses what the limit of memory does not leave room for: `channel_bytes` are an entry's constants.
  Status Plan(const StepArgs& args, const MatmulShape& shape, const Row& row, size_t weight_bytes,
              size_t channel_bytes) {
    constexpr size_t kMostDepth = size_t{1} << 28;
    // A gathered block stays in the second-level cache while the panels pass over it.
    constexpr size_t kBlockBytes = 96 * 1024;
    if (shape.depth > kMostDepth) {
      return args.Fail(Code::kUnsupported, "more than 2^28 weights an output channel");
    }
    shape_ = shape;
    row_ = &row;
    const size_t kr = static_cast<size_t>(row.kr), nr = static_cast<size_t>(row.nr);
    const size_t mr = static_cast<size_t>(row.mr);
    padded_depth_ = DivideUp(shape.depth, kr) * kr;  // < 2^29
    panels_ = DivideUp(shape.channels, nr);
    const uint64_t panel_bytes = uint64_t{padded_depth_} * nr * weight_bytes;  // < 2^29 * 2^6 * 2^2
    const uint64_t panels = Times(shape.groups, panels_);
    const uint64_t held = Plus(Times(panels, panel_bytes), Times(panels, uint64_t{nr} * channel_bytes));
    LOWBIT_RETURN_IF_ERROR(args.Fits(held));
    panel_bytes_ = static_cast<size_t>(panel_bytes);

    const size_t threads = static_cast<size_t>(args.threads());
    const uint64_t outputs = Times(Times(shape.rows, shape.groups), shape.channels);
    parallel_ = threads > 1 && Times(outputs, shape.depth) >= kParallelMacs;
    const size_t wanted = parallel_ ? kChunksPerThread * threads : 1;
    const uint64_t row_bytes = std::max<uint64_t>(padded_depth_, 1) * sizeof(Lhs);
    const uint64_t cached = (Times(shape.rows, row_bytes) + kBlockBytes - 1) / kBlockBytes;
    const size_t blocks = static_cast<size_t>(std::min<uint64_t>(
        std::max<uint64_t>(cached, DivideUp(wanted, shape.groups)), DivideUp(shape.rows, mr)));
    block_rows_ = blocks ? DivideUp(DivideUp(shape.rows, blocks), mr) * mr : 0;
    row_blocks_ = block_rows_ ? DivideUp(shape.rows, block_rows_) : 0;
    const size_t chunks = row_blocks_ * shape.groups;
    panel_splits_ = chunks ? std::min(panels_, DivideUp(wanted, chunks)) : 0;
    const uint64_t slot = (Times(block_rows_, row_bytes) + 63) / 64 * 64;
    LOWBIT_RETURN_IF_ERROR(args.Fits(Plus(held, Times(slot, threads))));
    scratch_per_slot_ = static_cast<size_t>(slot);
    return Status();
  }

  // Packs the weights: pack(g, bytes) fills the zeroed bytes of group g. `layout` says what it depends on
  // beside the shape and the kernel.
  template <typename PackGroup>
  Status PackWeights(StepArgs& args, const Tensor& weights, Key layout, const PackGroup& pack) {
    layout.With(reinterpret_cast<uintptr_t>(row_))
        .With(shape_.groups)
        .With(shape_.channels)
        .With(shape_.depth);
    const size_t group_bytes = panels_ * panel_bytes_;
    packed_ = args.Packed(weights, layout, shape_.groups * group_bytes, [&](uint8_t* bytes) {
      for (size_t g = 0; g < shape_.groups; ++g) pack(g, bytes + g * group_bytes);
    });
    return packed_ ? Status() : args.Fail(Code::kLimit, "no memory for packed weights");
  }

  size_t padded_channels() const { return panels_ * static_cast<size_t>(row_->nr); }
  // The channel that entry i of the constants belongs to, or SIZE_MAX for padding.
  size_t ChannelOf(size_t i) const {
    const size_t n = i % padded_channels();
    return n < shape_.channels ? i / padded_channels() * shape_.channels + n : SIZE_MAX;
  }
  const Row& row() const { return *row_; }
  const MatmulShape& shape() const { return shape_; }
  uint64_t scratch_bytes(int threads) const { return static_cast<uint64_t>(threads) * scratch_per_slot_; }
  uint64_t packed_bytes() const { return packed_->size() + constants.bytes(); }

  void Run(const RunContext& run, uint8_t* scratch, Gather<Lhs> gather, const void* context,
           const void* input, Out* output, const Runtime& runtime = Runtime()) const noexcept {
    const Job job = {scratch, gather, context, input, output, &runtime};
    const size_t chunks = row_blocks_ * shape_.groups * panel_splits_;
    if (!parallel_) {
      for (size_t i = 0; i < chunks; ++i) RunChunk(job, i, 0);
    } else {
      run.pool->For(chunks, run.threads, [&](size_t i, int slot) { RunChunk(job, i, slot); });
    }
  }

  Constants constants;

 private:
  struct Job {
    uint8_t* scratch;
    Gather<Lhs> gather;
    const void* context;
    const void* input;
    Out* output;
    const Runtime* runtime;
  };

  void RunChunk(const Job& job, size_t index, int slot) const noexcept {
    const size_t split = index % panel_splits_, group = index / panel_splits_ % shape_.groups;
    const size_t first = index / panel_splits_ / shape_.groups * block_rows_;
    const size_t count = std::min(block_rows_, shape_.rows - first);
    Lhs* rows = reinterpret_cast<Lhs*>(job.scratch + static_cast<size_t>(slot) * scratch_per_slot_);
    job.gather(job.context, job.input, group, first, count, padded_depth_, rows);

    const size_t nr = static_cast<size_t>(row_->nr), out_stride = shape_.groups * shape_.channels;
    const size_t tiles = DivideUp(count, static_cast<size_t>(row_->mr));
    kernels::gemm::TileOf<Lhs, Out> tile{};
    tile.lhs_stride = static_cast<ptrdiff_t>(padded_depth_);
    tile.out_stride = static_cast<ptrdiff_t>(out_stride);
    tile.depth = static_cast<int>(padded_depth_);
    const size_t last = panels_ * (split + 1) / panel_splits_;
    for (size_t panel = panels_ * split / panel_splits_; panel < last; ++panel) {
      tile.packed = packed_->data() + (group * panels_ + panel) * panel_bytes_;
      tile.channel = (group * panels_ + panel) * nr;
      tile.cols = static_cast<int>(std::min(nr, shape_.channels - panel * nr));
      Out* out = job.output + first * out_stride + group * shape_.channels + panel * nr;
      for (size_t t = 0; t < tiles; ++t) {  // rows are shared out evenly: no short last tile
        const size_t from = count * t / tiles;
        tile.rows = static_cast<int>(count * (t + 1) / tiles - from);
        tile.lhs = rows + from * padded_depth_;
        tile.out = out + from * out_stride;
        F::Run(*row_, tile, constants, *job.runtime, first + from);
      }
    }
  }

  const Row* row_ = nullptr;
  MatmulShape shape_{};
  SharedBuffer packed_;
  size_t padded_depth_ = 0, panels_ = 0, panel_bytes_ = 0;
  size_t block_rows_ = 0, row_blocks_ = 0, panel_splits_ = 0, scratch_per_slot_ = 0;
  bool parallel_ = false;
};

}  // namespace lowbit::program::steps
