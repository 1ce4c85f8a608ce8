// Transforms 3x3 filters and lays them in panels.
//
// Rows of the transform are scaled to integers, one by one; finish divides the scales out again. With
// |w| <= 255 the largest weight is 7 * 7 * 255 = 12495 for six points, 6 * 6 * 255 = 9180 for four.
#include "kernels/winograd/pack.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace lowbit::kernels::winograd {

namespace {

constexpr int16_t kPoints[6][3] = {{6, 0, 0}, {1, 1, 1}, {1, -1, 1}, {1, 2, 4}, {1, -2, 4}, {0, 0, 6}};

// Row `point` of the transform on three lines of `count`.
void Combine(int point, const int16_t* lines, size_t stride, size_t count, int16_t* out) {
  const int16_t a = kPoints[point][0], b = kPoints[point][1], c = kPoints[point][2];
  const int16_t *second = lines + stride, *third = second + stride;
  for (size_t i = 0; i < count; ++i) {
    out[i] = static_cast<int16_t>(a * lines[i] + b * second[i] + c * third[i]);
  }
}

// One filter, [3][3][channels], as [points][points] lines `stride` apart.
void TransformFilter(int tile, const int16_t* filter, size_t channels, size_t stride, int16_t* half,
                     int16_t* lines) {
  const int points = tile + 2;
  const auto row_of = [&](int i) { return PointOf(i, tile, 6); };
  for (int i = 0; i < points; ++i) {
    Combine(row_of(i), filter, 3 * channels, 3 * channels, half);  // over the filter's rows
    for (int j = 0; j < points; ++j, lines += stride) Combine(row_of(j), half, channels, channels, lines);
  }
}

}  // namespace

bool IsExact(int tile, const gemm::WeightView& weights, size_t outputs, size_t depth) {
  const int64_t bound = int64_t{1} << (tile == 4 ? 25 : 29);
  std::vector<int16_t> line(depth);
  for (size_t n = 0; n < outputs; ++n) {
    const auto [sum, size] = gemm::SumChannel(weights, n, depth, line.data());
    const int64_t positive = (size + sum) / 2, negative = (size - sum) / 2;
    // Codes lie in [-128, 127].
    const int64_t highest = 127 * positive + 128 * negative, lowest = 128 * positive + 127 * negative;
    if (highest >= bound || lowest > bound) return false;
  }
  return true;
}

void Pack(int tile, int nr, const gemm::WeightView& weights, size_t outputs, size_t channels,
          int16_t* packed) {
  const size_t planes = PlaneCount(tile), columns = static_cast<size_t>(nr), even = EvenChannels(channels);
  // Lines of neighbouring filters lie an odd number of cache lines apart: a power of two would evict.
  const size_t filter_stride = ((planes * even * sizeof(int16_t) / 64) | 1) * 64 / sizeof(int16_t) + 64;
  std::vector<int16_t> filter(9 * channels), half(3 * channels), lines(columns * filter_stride, 0);
  for (size_t first = 0; first < outputs; first += columns) {
    const size_t count = std::min(columns, outputs - first);
    std::fill(lines.begin() + static_cast<ptrdiff_t>(count * filter_stride), lines.end(), int16_t{0});
    for (size_t n = 0; n < count; ++n) {
      gemm::ReadChannel(weights, first + n, 9 * channels, filter.data());
      TransformFilter(tile, filter.data(), channels, even, half.data(), lines.data() + n * filter_stride);
    }
    for (size_t k = 0; k < planes * even; k += 2) {
      const int16_t* from = lines.data() + k;
      for (size_t n = 0; n < columns; ++n, from += filter_stride, packed += 2) {
        std::memcpy(packed, from, 2 * sizeof(int16_t));
      }
    }
  }
}

}  // namespace lowbit::kernels::winograd
