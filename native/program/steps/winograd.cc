// Runs a convolution by kernels/winograd: blocks of tiles are transformed into planes, every panel of weights
// passes over them. Blocks and panels are shared among threads.
#include "program/steps/winograd.h"

#include <algorithm>
#include <cstring>

#include "dispatch/winograd.h"
#include "kernels/winograd/pack.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {

namespace {

using kernels::winograd::EvenChannels;
using kernels::winograd::kMostPlanes;
using kernels::winograd::PanelCount;
using kernels::winograd::PanelSize;
using kernels::winograd::PlaneCount;
using kernels::winograd::Range;
using kernels::winograd::Row;
using kernels::winograd::Strip;

constexpr size_t kLine = 64;

// Bytes of `count` elements, an odd number of cache lines: planes a power of two apart would evict each other.
template <typename T>
constexpr uint64_t PlaneBytes(uint64_t count) {
  return ((count * sizeof(T) + kLine - 1) / kLine | 1) * kLine;
}

// Tiles [row, row + rows) x [column, column + columns) of each image of a block, all of one size. Their slots
// lie image by image, row by row.
struct Region {
  size_t row, rows, column, columns;
  int tile_h, tile_w;
  size_t slot;  // of the first
};

// Regions are in the order right, full, lower, corner, so that the slots that need a plane lie side by side.
struct Block {
  size_t image, images;
  Region regions[4];
  Range ranges[kMostPlanes];

  size_t CountOf(int region) const { return images * regions[region].rows * regions[region].columns; }
};

// Tiles along one direction of the output.
struct Line {
  size_t count = 0;
  bool ends_short = false;  // a tile of 2 does for the end of a line of tiles of 4
  Line() = default;
  Line(size_t extent, int tile)
      : count(DivideUp(extent, static_cast<size_t>(tile))),
        ends_short(tile == 4 && extent % 4 != 0 && extent % 4 <= 2) {}
  // How many of `tiles` tiles from `first` on are short.
  size_t ShortOf(size_t first, size_t tiles) const { return ends_short && first + tiles == count ? 1 : 0; }
};

class Winograd final : public Step {
 public:
  Winograd(const Row& row, const Window& window, size_t outputs)
      : row_(row),
        window_(window),
        outputs_(outputs),
        down_(window.out_h, row.tile),
        across_(window.out_w, row.tile) {}

  // Divides the work, packs weights and constants.
  Status Load(StepArgs& args, const QuantizedLayer& layer) {
    LOWBIT_RETURN_IF_ERROR(Divide(args, ChannelBytes(layer)));
    LOWBIT_RETURN_IF_ERROR(PackWeights(args, layer));
    const size_t count = panels_ * static_cast<size_t>(row_.nr);
    const auto channel_of = [&](size_t i) { return i < outputs_ ? i : SIZE_MAX; };
    if (!PackChannels(layer, count, 9 * window_.channels, channel_of, &channels_) ||
        !padding_.Allocate(window_.channels)) {
      return args.Fail(Code::kLimit, "no memory for channel constants");
    }
    std::memset(padding_.data(), layer.input_zero_point ^ layer.flip, window_.channels);
    output_constants_ = layer.output;
    flip_ = layer.flip;
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));
    kernel_ = row_.name;
    packed_bytes_ = packed_->size() + channels_.bytes() + padding_.size();
    return Status();
  }

  void Run(const RunContext& run) const noexcept override {
    const size_t chunks = blocks_ * panel_splits_;
    const int threads = parallel_ ? run.threads : 1;
    for (int slot = 0; slot < threads; ++slot) *SlotOf(run, slot).block = SIZE_MAX;
    if (!parallel_) {
      for (size_t i = 0; i < chunks; ++i) RunChunk(run, i, 0);
    } else {
      run.pool->For(chunks, threads, [&](size_t i, int slot) { RunChunk(run, i, slot); });
    }
  }
  uint64_t scratch_bytes(int threads) const override { return static_cast<uint64_t>(threads) * slot_bytes_; }

 private:
  // What a thread works in.
  struct Slot {
    size_t* block;  // whose planes these are
    kernels::winograd::Planes<int16_t> planes;
    kernels::winograd::Planes<int32_t> sums;
  };

  Status Divide(const StepArgs& args, size_t channel_bytes);
  void DivideTiles(size_t threads);
  Status PackWeights(StepArgs& args, const QuantizedLayer& layer);
  Slot SlotOf(const RunContext& run, int slot) const;
  Block BlockAt(size_t index) const;
  void RunChunk(const RunContext& run, size_t index, int slot) const noexcept;
  void TransformBlock(const RunContext& run, const Block& block, const Slot& slot) const;
  void RunPanel(const RunContext& run, const Block& block, const Slot& slot, size_t panel) const;
  int points() const { return row_.tile + 2; }

  // Calls visit(image, strip) for each row of tiles of a block.
  template <typename Visit>
  void EachStrip(const Block& block, const Visit& visit) const {
    const size_t tile = static_cast<size_t>(row_.tile);
    for (int r = 0; r < 4; ++r) {
      const Region& region = block.regions[r];
      if (region.columns == 0) continue;
      size_t slot = region.slot;
      for (size_t image = block.image; image < block.image + block.images; ++image) {
        for (size_t row = region.row; row < region.row + region.rows; ++row, slot += region.columns) {
          visit(image,
                Strip{row * tile, region.column * tile, region.tile_h, region.tile_w, region.columns, slot});
        }
      }
    }
  }

  const Row& row_;
  const Window window_;
  const size_t outputs_;
  const Line down_, across_;
  size_t panels_ = 0, panel_splits_ = 1;
  size_t block_images_ = 1, blocks_down_ = 1, blocks_across_ = 1, blocks_ = 0;
  size_t slot_stride_ = 0;                   // of the input's planes, elements
  size_t plane_bytes_ = 0, sums_bytes_ = 0;  // of one plane of the input and of the sums
  size_t slot_bytes_ = 0;                    // of scratch memory
  bool parallel_ = false;
  SharedBuffer packed_;
  kernels::PackedChannels channels_;
  kernels::Output output_constants_{};
  uint8_t flip_ = 0;
  AlignedBuffer padding_;
  Operand input_, output_;
};

// Blocks: so many tiles that their planes stay in the second-level cache while the panels pass over them. Where
// all panels stay there too, blocks may be smaller, so that each is one thread's alone.
void Winograd::DivideTiles(size_t threads) {
  constexpr size_t kBlockBytes = 512 * 1024, kFewTiles = 24;
  const size_t tile_bytes = PlaneCount(row_.tile) * slot_stride_ * sizeof(int16_t);
  const size_t image_tiles = down_.count * across_.count;
  size_t most = std::max<size_t>(kBlockBytes / tile_bytes, 1);
  if (parallel_ &&
      panels_ * PanelSize(row_.tile, row_.nr, window_.channels) * sizeof(int16_t) <= kBlockBytes) {
    const size_t chunk = DivideUp(image_tiles * window_.batch, kChunksPerThread * threads);
    most = std::min(most, std::max(chunk, kFewTiles));
  }
  block_images_ = std::min(std::max<size_t>(most / image_tiles, 1), window_.batch);
  blocks_across_ = DivideUp(across_.count, most);
  blocks_down_ = DivideUp(down_.count, std::max<size_t>(most / DivideUp(across_.count, blocks_across_), 1));
  blocks_ = DivideUp(window_.batch, block_images_) * blocks_down_ * blocks_across_;
}

Status Winograd::Divide(const StepArgs& args, size_t channel_bytes) {
  const size_t nr = static_cast<size_t>(row_.nr), lanes = static_cast<size_t>(row_.lanes);
  const size_t threads = static_cast<size_t>(args.threads());
  panels_ = PanelCount(row_.nr, outputs_);
  slot_stride_ = DivideUp(window_.channels, lanes) * lanes;
  const uint64_t held = Plus(
      Times(panels_, Times(PlaneCount(row_.tile) * nr * sizeof(int16_t), EvenChannels(window_.channels))),
      Times(panels_, nr * channel_bytes) + window_.channels);
  LOWBIT_RETURN_IF_ERROR(args.Fits(held));

  const size_t macs = Times(Times(window_.pixels(), outputs_), 9 * window_.channels);
  parallel_ = threads > 1 && macs >= kParallelMacs;
  DivideTiles(threads);
  panel_splits_ = parallel_ ? std::min(panels_, DivideUp(kChunksPerThread * threads, blocks_)) : 1;
  const uint64_t tiles =
      Times(block_images_, DivideUp(down_.count, blocks_down_) * DivideUp(across_.count, blocks_across_));
  plane_bytes_ = PlaneBytes<int16_t>(Times(tiles, slot_stride_));
  sums_bytes_ = PlaneBytes<int32_t>(Times(tiles, nr));
  slot_bytes_ = kLine + PlaneCount(row_.tile) * (plane_bytes_ + sums_bytes_);
  return args.Fits(Plus(held, Times(slot_bytes_, threads)));
}

Status Winograd::PackWeights(StepArgs& args, const QuantizedLayer& layer) {
  const kernels::gemm::WeightView& weights = layer.weights;
  Key key;
  key.With(reinterpret_cast<uintptr_t>(&row_)).With(outputs_).With(window_.channels);
  key.With(weights.channel_stride).With(weights.depth_stride);
  key.With(weights.is_unsigned).With(weights.zero_point);
  const size_t bytes = panels_ * PanelSize(row_.tile, row_.nr, window_.channels) * sizeof(int16_t);
  packed_ = args.Packed(args.input(1), key, bytes, [&](uint8_t* packed) {
    kernels::winograd::Pack(row_.tile, row_.nr, weights, outputs_, window_.channels,
                            reinterpret_cast<int16_t*>(packed));
  });
  return packed_ ? Status() : args.Fail(Code::kLimit, "no memory for packed weights");
}

Winograd::Slot Winograd::SlotOf(const RunContext& run, int slot) const {
  uint8_t* memory = run.scratch + static_cast<size_t>(slot) * slot_bytes_;
  uint8_t *planes = memory + kLine, *sums = planes + PlaneCount(row_.tile) * plane_bytes_;
  return {reinterpret_cast<size_t*>(memory),
          {reinterpret_cast<int16_t*>(planes), plane_bytes_ / sizeof(int16_t), slot_stride_, points()},
          {reinterpret_cast<int32_t*>(sums), sums_bytes_ / sizeof(int32_t), static_cast<size_t>(row_.nr),
           points()}};
}

Block Winograd::BlockAt(size_t index) const {
  const size_t x = index % blocks_across_, y = index / blocks_across_ % blocks_down_;
  const size_t image = index / blocks_across_ / blocks_down_ * block_images_;
  const size_t row = down_.count * y / blocks_down_, column = across_.count * x / blocks_across_;
  const size_t rows = down_.count * (y + 1) / blocks_down_ - row;
  const size_t columns = across_.count * (x + 1) / blocks_across_ - column;
  const bool all_short = row_.tile == 2;
  const size_t lower = all_short ? rows : down_.ShortOf(row, rows);
  const size_t right = all_short ? columns : across_.ShortOf(column, columns);
  const size_t upper = rows - lower, left = columns - right;
  Block block{image,
              std::min(block_images_, window_.batch - image),
              {{row, upper, column + left, right, 4, 2, 0},
               {row, upper, column, left, 4, 4, 0},
               {row + upper, lower, column, left, 2, 4, 0},
               {row + upper, lower, column + left, right, 2, 2, 0}},
              {}};
  for (int r = 1; r < 4; ++r) block.regions[r].slot = block.regions[r - 1].slot + block.CountOf(r - 1);
  // Points 3 and 4 are those that tiles of 2 do without.
  for (int i = 0; i < points(); ++i) {
    for (int j = 0; j < points(); ++j) {
      const bool tall = row_.tile == 4 && (i == 3 || i == 4), wide = row_.tile == 4 && (j == 3 || j == 4);
      const size_t first = wide ? block.regions[1].slot : 0;
      const size_t end = tall && wide ? block.regions[2].slot
                         : tall       ? block.regions[2].slot
                         : wide       ? block.regions[3].slot
                                      : block.regions[3].slot + block.CountOf(3);
      block.ranges[i * points() + j] = {first, end - first};
    }
  }
  return block;
}

void Winograd::TransformBlock(const RunContext& run, const Block& block, const Slot& slot) const {
  const size_t image_bytes = window_.in_h * window_.in_w * window_.channels;
  kernels::winograd::Image image{
      nullptr,         window_.in_h,     window_.in_w, window_.channels, padding_.as<int8_t>(),
      window_.pad_top, window_.pad_left, flip_};
  EachStrip(block, [&](size_t b, const Strip& strip) {
    image.pixels = input_.In<int8_t>(run) + b * image_bytes;
    row_.transform(image, strip, slot.planes);
  });
}

void Winograd::RunPanel(const RunContext& run, const Block& block, const Slot& slot, size_t panel) const {
  const size_t nr = static_cast<size_t>(row_.nr), channel = panel * nr;
  const auto& in = slot.planes;
  row_.multiply({{in.first, in.plane_stride, in.slot_stride, in.points},
                 slot.sums,
                 packed_->as<int16_t>() + panel * PanelSize(row_.tile, row_.nr, window_.channels),
                 block.ranges,
                 EvenChannels(window_.channels)});
  const size_t image_bytes = window_.out_h * window_.out_w * outputs_;
  kernels::winograd::Target target{nullptr,       window_.out_h,
                                   window_.out_w, outputs_,
                                   channel,       static_cast<int>(std::min(nr, outputs_ - channel))};
  EachStrip(block, [&](size_t b, const Strip& strip) {
    target.pixels = output_.Out<int8_t>(run) + b * image_bytes + channel;
    row_.finish({slot.sums.first, slot.sums.plane_stride, slot.sums.slot_stride, slot.sums.points}, strip,
                target, channels_.channels(), output_constants_);
  });
}

void Winograd::RunChunk(const RunContext& run, size_t index, int slot_index) const noexcept {
  const size_t number = index / panel_splits_, split = index % panel_splits_;
  const Block block = BlockAt(number);
  const Slot slot = SlotOf(run, slot_index);
  if (*slot.block != number) {
    TransformBlock(run, block, slot);
    *slot.block = number;
  }
  const size_t last = panels_ * (split + 1) / panel_splits_;
  for (size_t panel = panels_ * split / panel_splits_; panel < last; ++panel) {
    RunPanel(run, block, slot, panel);
  }
}

bool IsFit(const Window& window, const MatmulShape& shape) {
  return window.filter_h == 3 && window.filter_w == 3 && window.stride_h == 1 && window.stride_w == 1 &&
         window.dilation_h == 1 && window.dilation_w == 1 && !window.is_transposed && shape.groups == 1 &&
         shape.rows > 0 && shape.channels > 0 && window.channels > 0;
}

dispatch::winograd::Ways WaysOf(const StepArgs& args, const Window& window, const MatmulShape& shape) {
  return dispatch::winograd::WaysOf({window.batch, window.out_h, window.out_w, window.channels,
                                     shape.channels, args.input(1).dtype == Dtype::kInt8},
                                    args.isa());
}

}  // namespace

Wish WishOfWinograd(const StepArgs& args, const Window& window, const MatmulShape& shape) {
  if (!IsFit(window, shape)) return Wish();
  const dispatch::winograd::Ways ways = WaysOf(args, window, shape);
  const auto direct = std::find_if(ways.begin(), ways.end(), [](const auto& way) { return !way.row; });
  const dispatch::winograd::Way& best = *ways.begin();
  return {direct->micros - best.micros, best.bytes, direct->bytes};
}

Status LoadWinograd(StepArgs& args, const Window& window, const MatmulShape& shape,
                    const QuantizedLayer& layer, std::unique_ptr<Step>* step) {
  if (!IsFit(window, shape) || args.weight_room() == 0) return Status();
  for (const dispatch::winograd::Way& way : WaysOf(args, window, shape)) {
    if (!way.row) return Status();
    if (way.bytes > args.weight_room() ||
        !kernels::winograd::IsExact(way.row->tile, layer.weights, shape.channels, shape.depth))
      continue;
    auto winograd = std::make_unique<Winograd>(*way.row, window, shape.channels);
    const Status status = winograd->Load(args, layer);
    if (status.code() == Code::kLimit) continue;  // another way takes less
    if (status.ok()) *step = std::move(winograd);
    return status;
  }
  return Status();
}

}  // namespace lowbit::program::steps
