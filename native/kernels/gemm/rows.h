// How a block is cut into tiles that fit the registers. For inclusion by kernel files; everything is in an
// unnamed namespace.
#pragma once

#include <stddef.h>
#include <stdint.h>

// For functions around a hot loop: what is alive outside it must not take its registers.
#if defined(_MSC_VER)
#define LOWBIT_NOINLINE __declspec(noinline)
#else
#define LOWBIT_NOINLINE __attribute__((noinline))
#endif

namespace lowbit::kernels::gemm {
namespace {

// Calls run with `rows`, in [1, kMost], as a constant.
template <int kRows>
struct RowCount {
  static constexpr int value = kRows;
};
template <int kMost, typename Run>
inline void WithRows(size_t rows, const Run& run) {
  if constexpr (kMost > 1) {
    if (rows < kMost) return WithRows<kMost - 1>(rows, run);
  }
  run(RowCount<kMost>());
}

// Some rows of a block under one panel of weights.
template <typename Lhs, typename Out>
struct Tile {
  const Lhs* const* lhs;  // of the rows
  const void* packed;     // the panel
  Out* out;
  size_t row, channel;  // the first ones; channel as an index of the per-channel constants
  int cols;             // of the panel
};

// Calls visit(RowCount, tile) for tiles of at most kMost rows and kNr channels; rows are shared out evenly, so
// that no short tile is left. Panels pass over each few rows: they are few, or small.
template <int kMost, int kNr, typename Lhs, typename Out, template <typename, typename> class Block,
          typename Visit>
inline void EachTile(const Block<Lhs, Out>& block, const Visit& visit) {
  const size_t tiles = (block.rows + kMost - 1) / kMost;
  if (tiles == 0) return;
  const size_t few = block.rows / tiles, larger = block.rows % tiles;
  size_t row = 0;
  for (size_t t = 0; t < tiles; ++t) {
    const size_t count = few + (t < larger ? 1 : 0);
    WithRows<kMost>(count, [&](auto rows) {
      const uint8_t* packed = static_cast<const uint8_t*>(block.packed);
      Out* out = block.out + static_cast<ptrdiff_t>(row) * block.out_stride;
      for (size_t c = 0; c < block.cols; c += kNr, packed += block.panel_bytes) {
        const size_t left = block.cols - c;
        visit(rows, Tile<Lhs, Out>{block.lhs + row, packed, out + c, row, block.channel + c,
                                   left < kNr ? static_cast<int>(left) : kNr});
      }
    });
    row += count;
  }
}

}  // namespace
}  // namespace lowbit::kernels::gemm
