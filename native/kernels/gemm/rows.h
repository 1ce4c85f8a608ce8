// How a block is cut into tiles that fit the registers. For inclusion by kernel files; everything is in an
// unnamed namespace.
#pragma once

#include <stddef.h>
#include <stdint.h>

// For functions around a hot loop: what is alive outside it must not take its registers.
#if defined(_MSC_VER)
#define LOWBIT_NOINLINE __declspec(noinline)
#define LOWBIT_INLINE __forceinline
#else
#define LOWBIT_NOINLINE __attribute__((noinline))
#define LOWBIT_INLINE inline __attribute__((always_inline))
#endif

namespace lowbit::kernels::gemm {
namespace {

// Weights are asked for so many bytes before they are used: large panels come from the third-level cache, and
// the processor's own prefetching stops at the end of each page.
constexpr ptrdiff_t kFetchAhead = 4096;

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

// A piece of a block that fits the registers: some rows under one panel of weights.
template <typename Lhs, typename Out>
struct Tile {
  const Lhs* const* lhs;  // of the rows
  const void* packed;     // the panel
  Out* out;
  size_t row, channel;  // the first ones; channel as an index of the per-channel constants
  int cols;             // of the panel
};

// So many tiles of equally many rows.
struct Strip {
  size_t row, tiles;
};

// Calls visit(RowCount, strip) for strips of tiles of at most kMost rows: rows are shared out evenly, so that
// no short tile is left.
template <int kMost, typename AnyBlock, typename Visit>
inline void EachStrip(const AnyBlock& block, const Visit& visit) {
  const size_t tiles = (block.rows + kMost - 1) / kMost;
  if (tiles == 0) return;
  const size_t few = block.rows / tiles, larger = block.rows % tiles;
  if (larger) WithRows<kMost>(few + 1, [&](auto rows) { visit(rows, Strip{0, larger}); });
  WithRows<kMost>(few, [&](auto rows) { visit(rows, Strip{larger * (few + 1), tiles - larger}); });
}

// Calls visit(tile) for the tiles of a strip under panels of kNr channels. Panels pass over each few rows: they
// are few, or small.
template <int kRows, int kNr, typename Lhs, typename Out, template <typename, typename> class Block,
          typename Visit>
inline void EachTile(const Block<Lhs, Out>& block, const Strip& strip, const Visit& visit) {
  Out* rows_out = block.out + static_cast<ptrdiff_t>(strip.row) * block.out_stride;
  size_t row = strip.row;
  for (size_t t = 0; t < strip.tiles; ++t, row += kRows, rows_out += kRows * block.out_stride) {
    const uint8_t* packed = static_cast<const uint8_t*>(block.packed);
    for (size_t c = 0; c < block.cols; c += kNr, packed += block.panel_bytes) {
      const size_t left = block.cols - c;
      visit(Tile<Lhs, Out>{block.lhs + row, packed, rows_out + c, row, block.channel + c,
                           left < kNr ? static_cast<int>(left) : kNr});
    }
  }
}

// Keeps the compiler from loading what `pointer` leads to before it is needed.
template <typename T>
inline void Forget(const T*& pointer) {
#if defined(__GNUC__)
  __asm__("" : "+r"(pointer));
#else
  (void)pointer;
#endif
}

}  // namespace
}  // namespace lowbit::kernels::gemm
