// Every byte GEMM kernel against the definition: tile edges, extreme values, every rounding, strides with
// gaps.
#include "dispatch/gemm_u8.h"

#include <cmath>
#include <string>
#include <vector>

#include "block.h"
#include "check.h"
#include "cpu/detect.h"
#include "edges.h"
#include "guarded.h"
#include "kernels/gemm/pack.h"
#include "kernels/requantize/pack.h"
#include "kernels/requantize/scalar.h"
#include "rows.h"

namespace lowbit::test {
namespace {

using kernels::gemm_u8::Row;
using testing::Guarded;
using testing::Random;

// A layer with random or extreme contents, packed for one row. `depth` is that of a run; runs lie without gaps,
// so that what a kernel reads beyond one belongs to the next.
struct Layer {
  size_t m, n, run, run_count, k, padded, panel_bytes;
  uint8_t flip;
  std::vector<int8_t> weights;
  AlignedBuffer packed;
  Guarded<uint8_t> lhs;
  testing::LhsRows<uint8_t> rows;

  Layer(const Row& row, int row_count, int cols, int depth, bool extreme, uint32_t seed)
      : m(static_cast<size_t>(row_count)),
        n(static_cast<size_t>(cols)),
        run(static_cast<size_t>(depth)),
        run_count(seed % 3 + 1),
        k(run * run_count),
        padded((run + 3) / 4 * 4),
        panel_bytes(padded * run_count * static_cast<size_t>(row.nr)),
        flip(seed % 5 ? 0x80 : 0),
        weights(n * k),
        lhs(m * k + padded - run),
        rows(lhs.data(), m, k, run_count, run) {
    Random random(seed);
    for (auto& w : weights) {
      w = static_cast<int8_t>(extreme ? (random.Next() % 2 ? 127 : -128) : random.Between(-128, 127));
    }
    const size_t nr = static_cast<size_t>(row.nr);
    if (!packed.Allocate((n + nr - 1) / nr * panel_bytes)) std::abort();
    kernels::gemm::PackPanels(nr, 4, 1, {reinterpret_cast<const uint8_t*>(weights.data()), false, 0, k, 1}, n,
                              {run_count, run}, packed.data());
    for (auto& a : lhs) {
      a = static_cast<uint8_t>(extreme ? (random.Next() % 2 ? 255 : 0) : random.Between(0, 255));
    }
  }
  uint32_t Sum(size_t i, size_t c) {
    uint32_t sum = 0;
    for (size_t d = 0; d < k; ++d) {
      sum += static_cast<uint32_t>((lhs[i * k + d] ^ flip) * weights[c * k + d]);
    }
    return sum;
  }
};

template <typename Visit>
void EachShape(std::string* why, const Visit& visit) {
  uint32_t seed = 1;
  for (const kernels::gemm_u8::Rows* list : dispatch::gemm_u8::Lists()) {
    for (size_t r = 0; r < list->count; ++r) {
      const Row& row = list->first[r];
      if (!Runs(row)) continue;
      for (int rows : {1, 2, 3, 4, 5, 6, 7, 8, 11, 2 * row.mr + 3}) {
        for (int cols : {1, 15, 16, 17, row.nr - 1, row.nr, row.nr + 1, 3 * row.nr - 1}) {
          for (int depth : {1, 3, 4, 5, 15, 31, 64, 65, 577}) {
            if (!why->empty()) continue;
            ++seed;
            visit(row, rows, cols, depth, seed);
          }
        }
      }
    }
  }
}

LOWBIT_TEST("gemm_u8: kernels equal the definition with every rounding") {
  EachShape(why, [&](const Row& row, int rows, int cols, int depth, uint32_t seed) {
    Layer layer(row, rows, cols, depth, seed % 3 == 0, seed);
    Random random(seed);
    const size_t n = layer.n;
    const size_t nr =
        (n + static_cast<size_t>(row.nr) - 1) / static_cast<size_t>(row.nr) * static_cast<size_t>(row.nr);
    std::vector<int32_t> bias(nr), multiplier(nr), shift(nr);
    std::vector<int64_t> bound(nr, 100000 + int64_t{255} * 128 * static_cast<int64_t>(layer.k));
    std::vector<double> scale(nr);
    for (size_t c = 0; c < n; ++c) {
      bias[c] = random.Between(-100000, 100000);
      multiplier[c] = random.Between(1 << 30, INT32_MAX);
      shift[c] = seed % 4 == 1 ? random.Between(-31, 3) : random.Between(-14, -6);
      scale[c] = random.Between(1, 1000) / 100000.0;
    }
    for (bool once : {false, true}) {
      kernels::PackedChannels channels;
      // Every second layer ends with a ReLU.
      const kernels::Output output = {-5, random.Next() % 2 ? -5 : -128, 111,
                                      static_cast<uint8_t>(seed % 2 ? 0x80 : 0)};
      LOWBIT_CHECK(
          once ? channels.PackOnce(nr, bias.data(), scale.data(), bound.data(), output)
               : channels.Pack(nr, bias.data(), multiplier.data(), shift.data(), bound.data(), output));
      const size_t stride = n + 3;
      Guarded<int8_t> out((layer.m - 1) * stride + n);
      for (auto& code : out) code = 99;
      row.run(testing::BlockOf(layer.rows, static_cast<int>(layer.padded), layer.packed.data(),
                               layer.panel_bytes, out.data(), stride, n, layer.flip),
              channels.channels(), output);
      for (size_t i = 0; i < layer.m; ++i) {
        for (size_t c = 0; c < n; ++c) {
          const int32_t sum = static_cast<int32_t>(layer.Sum(i, c));
          LOWBIT_CHECK_THAT(
              out[i * stride + c] == kernels::Requantize(sum, channels.channels(), c, output),
              std::string(row.name) + " seed " + std::to_string(seed) + (once ? " once" : " twice"));
        }
        for (size_t c = n; c < stride && i + 1 < layer.m; ++c) LOWBIT_EQUAL(out[i * stride + c], int8_t{99});
      }
    }
  });
}

// A filter of three by three over `width` x `height` outputs of an image with a border: rows share their elements.
void CompareConvolution(std::string* why, const Row& row, size_t width, size_t height, size_t channels,
                        size_t n, uint32_t seed) {
  Random random(seed);
  const bool extreme = seed % 3 == 0;
  const size_t depth = 9 * channels, line = (width + 2) * channels, nr = static_cast<size_t>(row.nr);
  const size_t padded = (n + nr - 1) / nr * nr, run = (3 * channels + 3) / 4 * 4;
  Guarded<uint8_t> image((height + 2) * line + run - 3 * channels);
  for (auto& a : image) a = static_cast<uint8_t>(extreme ? (random.Next() % 2 ? 255 : 0) : random.Next());
  std::vector<int8_t> weights(n * depth);
  for (auto& w : weights)
    w = static_cast<int8_t>(extreme ? (random.Next() % 2 ? 127 : -128) : random.Between(-128, 127));
  AlignedBuffer packed;
  LOWBIT_CHECK(packed.Allocate(padded * 3 * run));
  kernels::gemm::PackPanels(nr, 4, 1, {reinterpret_cast<const uint8_t*>(weights.data()), false, 0, depth, 1},
                            n, {3, 3 * channels}, packed.data());
  std::vector<int32_t> bias(padded), multiplier(padded), shift(padded, seed % 7 ? -12 : 1);
  const std::vector<int64_t> bound(padded, 100000 + int64_t{255} * 128 * static_cast<int64_t>(depth));
  for (size_t c = 0; c < padded; ++c) {
    bias[c] = random.Between(-100000, 100000);
    multiplier[c] = random.Between(1 << 30, INT32_MAX);
  }
  const uint8_t flip = seed % 2 ? 0x80 : 0;
  const kernels::Output output = testing::EdgeOutput(&random, flip);
  kernels::PackedChannels constants;
  LOWBIT_CHECK(constants.Pack(padded, bias.data(), multiplier.data(), shift.data(), bound.data(), output));
  testing::LhsRows<uint8_t> rows(image.data(), 0, 0, 3, line);
  for (size_t y = 0; y < height; ++y)
    for (size_t x = 0; x < width; ++x) rows.rows.push_back(image.data() + y * line + x * channels);
  Guarded<int8_t> out(width * height * n);
  row.run(testing::BlockOf(rows, static_cast<int>(run), packed.data(), 3 * run * nr, out.data(), n, n, flip),
          constants.channels(), output);
  for (size_t i = 0; i < width * height; ++i) {
    for (size_t c = 0; c < n; ++c) {
      int32_t sum = 0;
      for (size_t d = 0; d < depth; ++d)
        sum += (rows.rows[i][d / (3 * channels) * line + d % (3 * channels)] ^ flip) * weights[c * depth + d];
      LOWBIT_CHECK_THAT(out[i * n + c] == kernels::Requantize(sum, constants.channels(), c, output),
                        std::string(row.name) + " seed " + std::to_string(seed));
    }
  }
}

LOWBIT_TEST("gemm_u8: rows that share elements equal the definition") {
  uint32_t seed = 1;
  for (const kernels::gemm_u8::Rows* list : dispatch::gemm_u8::Lists()) {
    for (size_t r = 0; r < list->count; ++r) {
      if (!Runs(list->first[r])) continue;
      for (size_t width : {1, 7, 15, 16, 17, 21, 32, 49}) {
        for (size_t channels : {1, 3, 4, 8, 12, 20, 64}) {
          for (size_t n : {1, 15, 16, 17, 40}) {
            if (why->empty()) CompareConvolution(why, list->first[r], width, 1 + seed % 3, channels, n, seed);
            ++seed;
          }
        }
      }
    }
  }
}

// Every edge of both roundings, driven by the bias alone.
LOWBIT_TEST("gemm_u8: requantisation equals scalar at its edges") {
  for (const kernels::gemm_u8::Rows* list : dispatch::gemm_u8::Lists()) {
    for (size_t r = 0; r < list->count; ++r) {
      const Row& row = list->first[r];
      if (!Runs(row)) continue;
      const size_t nr = static_cast<size_t>(row.nr);
      AlignedBuffer packed;
      LOWBIT_CHECK(packed.Allocate(nr * 4));
      const std::vector<uint8_t> lhs(4, 0);
      Random random(5);
      for (int round = 0; round < 20000; ++round) {
        const int shift = static_cast<int>(round % 40) - 31;
        const testing::EdgeChannels edges(&random, nr, shift, round);
        std::vector<double> scale(nr, 0.5);
        for (size_t c = 0; c < nr && round % 5 == 0; ++c)
          scale[c] = edges.multiplier[c] / 2147483648.0 * std::pow(2.0, shift);
        for (bool once : {false, true}) {
          kernels::PackedChannels channels;
          const kernels::Output output = testing::EdgeOutput(&random);
          LOWBIT_CHECK(
              once ? channels.PackOnce(nr, edges.bias.data(), scale.data(), edges.bound.data(), output)
                   : channels.Pack(nr, edges.bias.data(), edges.multiplier.data(), edges.shift.data(),
                                   edges.bound.data(), output));
          std::vector<int8_t> out(nr);
          row.run(testing::BlockOf(testing::LhsRows<uint8_t>(lhs.data(), 1, 0), 4, packed.data(), nr * 4,
                                   out.data(), nr, nr),
                  channels.channels(), output);
          for (size_t c = 0; c < nr; ++c) {
            LOWBIT_CHECK_THAT(out[c] == kernels::Requantize(0, channels.channels(), c, output),
                              std::string(row.name) + " x " + std::to_string(edges.bias[c]) + " shift " +
                                  std::to_string(shift) + (once ? " once" : " twice"));
          }
        }
      }
    }
  }
}

LOWBIT_TEST("gemm_u8: hybrid tiles lie within three roundings of the definition") {
  EachShape(why, [&](const Row& row, int rows, int cols, int depth, uint32_t seed) {
    Layer layer(row, rows, cols, depth, false, seed);
    Random random(seed);
    const size_t n = layer.n;
    const size_t nr =
        (n + static_cast<size_t>(row.nr) - 1) / static_cast<size_t>(row.nr) * static_cast<size_t>(row.nr);
    std::vector<float> scale(nr), bias(nr), row_scale(layer.m);
    std::vector<int32_t> sums(nr), zero(layer.m);
    const int32_t offset = random.Between(0, 128);
    const float low = seed % 3 == 0 ? -INFINITY : seed % 3 == 1 ? 0.0f : -200.0f;
    const float high = seed % 3 == 2 ? 300.0f : INFINITY;
    for (size_t c = 0; c < n; ++c) {
      scale[c] = static_cast<float>(random.Between(1, 1000)) / 1000.0f;
      bias[c] = static_cast<float>(random.Between(-1000, 1000));
      for (size_t d = 0; d < layer.k; ++d) sums[c] += layer.weights[c * layer.k + d];
    }
    for (size_t i = 0; i < layer.m; ++i) {
      row_scale[i] = static_cast<float>(random.Between(1, 99)) / 64.0f;
      zero[i] = i % 3 ? random.Between(0, 255) : 0;
    }
    Guarded<float> out(layer.m * n);
    row.run_hybrid(testing::BlockOf(layer.rows, static_cast<int>(layer.padded), layer.packed.data(),
                                    layer.panel_bytes, out.data(), n, n, layer.flip),
                   {scale.data(), bias.data(), sums.data(), offset, low, high, seed % 2 == 0},
                   {row_scale.data(), zero.data(), 1});
    for (size_t i = 0; i < layer.m; ++i) {
      for (size_t c = 0; c < n; ++c) {
        const int64_t sum =
            int64_t{static_cast<int32_t>(layer.Sum(i, c))} - int64_t{offset + zero[i]} * sums[c];
        const double product = static_cast<double>(sum) * row_scale[i] * scale[c];
        const double want = std::fmin(high, std::fmax(low, product + bias[c]));
        LOWBIT_CHECK_THAT(
            std::fabs(out[i * n + c] - want) <= 4 * 5.97e-8 * (std::fabs(product) + std::fabs(bias[c])),
            std::string(row.name) + " seed " + std::to_string(seed));
      }
    }
  });
}

LOWBIT_TEST("gemm_u8: no row is chosen that pads weights beyond four times") {
  for (size_t channels = 1; channels <= 200; ++channels) {
    const Row* row = dispatch::gemm_u8::Choose(channels, cpu::Detect());
    if (!row) continue;
    const size_t nr = static_cast<size_t>(row->nr);
    LOWBIT_CHECK_THAT((channels + nr - 1) / nr * nr <= 4 * channels, std::to_string(channels) + " channels");
  }
  LOWBIT_CHECK(dispatch::gemm_u8::Choose(1, cpu::Detect()) == nullptr);
}

}  // namespace
}  // namespace lowbit::test
