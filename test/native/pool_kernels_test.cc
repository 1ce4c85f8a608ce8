// Pooling kernels against the scalar ones: channel counts around a block, window sizes, extremes.
#include <cmath>
#include <cstring>

#include "dispatch/pool.h"
#include "simple_kernels.h"

namespace lowbit::test {
namespace {

using kernels::pool::Kind;
using kernels::pool::Limits;
using kernels::pool::Row;
using kernels::pool::Window;

bool IsReal(Kind kind) { return kind == Kind::kAverageF32 || kind == Kind::kMaxF32; }
bool IsSigned(Kind kind) { return kind == Kind::kAverageS8 || kind == Kind::kMaxS8; }

void Compare(const Row& row, const Row& scalar, int rows, int cols, int channels, int fill, uint32_t seed,
             std::string* why) {
  Random random(seed);
  const int gap = 5;  // pixels between the rows of the window
  const ptrdiff_t stride = ptrdiff_t{cols + gap} * channels;
  Guarded<uint8_t> image(static_cast<size_t>((rows - 1) * stride + ptrdiff_t{cols} * channels));
  for (auto& x : image) x = fill < 0 ? static_cast<uint8_t>(random.Next()) : static_cast<uint8_t>(fill);
  const int lowest = IsSigned(row.kind) ? -128 : 0;
  for (const int cut : {0, 100}) {
    const Limits limits{lowest + cut, lowest + 255 - cut, 0, 0};
    const Window window{image.data(), stride, rows, cols, channels};
    Guarded<uint8_t> got(static_cast<size_t>(channels)), want(static_cast<size_t>(channels));
    row.run(window, limits, got.data());
    scalar.run(window, limits, want.data());
    LOWBIT_CHECK_THAT(std::memcmp(got.data(), want.data(), static_cast<size_t>(channels)) == 0,
                      std::string(row.name) + ": " + std::to_string(rows) + "x" + std::to_string(cols) + "x" +
                          std::to_string(channels) + " fill " + std::to_string(fill) + " seed " +
                          std::to_string(seed));
  }
}

LOWBIT_TEST("pool: every row of bytes equals the scalar one") {
  const auto same = [](const Row& a, const Row& b) { return a.kind == b.kind && !IsReal(a.kind); };
  ForPairs(dispatch::pool::Lists(), same, [&](const Row& row, const Row& scalar) {
    uint32_t seed = 1;
    for (const int channels : {1, 3, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100}) {
      for (const int rows : {1, 2, 3, 7}) {
        for (const int cols : {1, 2, 5, 19, 130}) {
          for (const int fill : {-1, 0x7F, 0x80, 0xFF, 0x00}) {
            if (why->empty()) Compare(row, scalar, rows, cols, channels, fill, seed++, why);
          }
        }
      }
    }
  });
}

// Numbers, or now and then one at which comparisons and sums turn.
float Real(Random* random, bool edges) {
  static constexpr float kEdges[] = {0.0f, -0.0f, 1.0f, 1e-40f, 3e38f, -3e38f, INFINITY, -INFINITY, NAN};
  if (edges && random->Next() % 3) return kEdges[random->Next() % (sizeof kEdges / sizeof kEdges[0])];
  return static_cast<float>(random->Between(-1000, 1000)) / 300.0f;
}

void CompareReal(const Row& row, const Row& scalar, const Window& shape, bool edges, uint32_t seed,
                 std::string* why) {
  Random random(seed);
  const size_t channels = static_cast<size_t>(shape.channels);
  Guarded<float> image(static_cast<size_t>((shape.rows - 1) * shape.row_stride) +
                       static_cast<size_t>(shape.cols) * channels);
  for (auto& x : image) x = Real(&random, edges);
  Window window = shape;
  window.first = image.data();
  for (const Limits& limits :
       {Limits{0, 0, -INFINITY, INFINITY}, Limits{0, 0, 0.0f, 6.0f}, Limits{0, 0, -1.0f, 1.0f}}) {
    Guarded<float> got(channels), want(channels);
    row.run(window, limits, got.data());
    scalar.run(window, limits, want.data());
    for (size_t c = 0; c < channels; ++c) {
      uint32_t bits[2];
      std::memcpy(&bits[0], &got[c], sizeof(float));
      std::memcpy(&bits[1], &want[c], sizeof(float));
      LOWBIT_CHECK_THAT(bits[0] == bits[1] || (std::isnan(got[c]) && std::isnan(want[c])),
                        std::string(row.name) + ": channel " + std::to_string(c) + " of " +
                            std::to_string(channels) + " seed " + std::to_string(seed));
    }
  }
}

LOWBIT_TEST("pool: every row of float32 gives the bits of the scalar one") {
  const auto same = [](const Row& a, const Row& b) { return a.kind == b.kind && IsReal(a.kind); };
  ForPairs(dispatch::pool::Lists(), same, [&](const Row& row, const Row& scalar) {
    uint32_t seed = 1;
    for (const int channels : {1, 3, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 65}) {
      for (const int rows : {1, 2, 3, 7}) {
        for (const int cols : {1, 2, 5, 19}) {
          const Window window{nullptr, ptrdiff_t{cols + 2} * channels, rows, cols, channels};
          for (const bool edges : {false, true})
            if (why->empty()) CompareReal(row, scalar, window, edges, seed++, why);
        }
      }
    }
  });
}

// The division of the vector kernels is exact: all sums for some counts, the ends of the range for all.
LOWBIT_TEST("pool: averages of every sum round as the definition says") {
  const auto same = [](const Row& a, const Row& b) { return a.kind == b.kind; };
  ForPairs(dispatch::pool::Lists(), same, [&](const Row& row, const Row& scalar) {
    if (row.kind != Kind::kAverageS8 && row.kind != Kind::kAverageU8) return;
    for (const int taps : {2, 3, 7, 9, 49, 127, 128, 129, 255, 257}) {
      // Tap i of channel c: as many full taps as give every sum in steps of one.
      for (int base = 0; base < 255 * taps; base += 16) {
        Guarded<uint8_t> image(static_cast<size_t>(taps) * 16);
        for (int c = 0; c < 16; ++c) {
          int left = base + c;
          for (int i = 0; i < taps; ++i) {
            const int part = left < 255 ? left : 255;
            image[static_cast<size_t>(i * 16 + c)] =
                static_cast<uint8_t>(IsSigned(row.kind) ? part - 128 : part);
            left -= part;
          }
        }
        const int lowest = IsSigned(row.kind) ? -128 : 0;
        const Window window{image.data(), ptrdiff_t{taps} * 16, 1, taps, 16};
        const Limits limits{lowest, lowest + 255, 0, 0};
        uint8_t got[16], want[16];
        row.run(window, limits, got);
        scalar.run(window, limits, want);
        LOWBIT_CHECK_THAT(
            std::memcmp(got, want, 16) == 0,
            std::string(row.name) + ": " + std::to_string(taps) + " taps, sum " + std::to_string(base));
        if (taps > 64) base += 16 * 7;
      }
    }
  });
}

}  // namespace
}  // namespace lowbit::test
