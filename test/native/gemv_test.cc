// Every gemv kernel against the definition: panels' edges, extreme values, both foldable roundings; what packing promises.
#include "dispatch/gemv.h"

#include <cmath>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "check.h"
#include "cpu/detect.h"
#include "edges.h"
#include "guarded.h"
#include "kernels/gemv/pack.h"
#include "kernels/requantize/pack.h"
#include "kernels/requantize/scalar.h"
#include "rows.h"

namespace lowbit::test {
namespace {

using kernels::gemv::PaddedChannels;
using kernels::gemv::PaddedDepth;
using kernels::gemv::Row;
using testing::Guarded;
using testing::Random;

template <typename Visit>
void EachRow(const Visit& visit) {
  for (const kernels::gemv::Rows* list : dispatch::gemv::Lists()) {
    for (size_t r = 0; r < list->count; ++r) {
      if (Runs(list->first[r])) visit(list->first[r]);
    }
  }
}

// A layer with random or extreme contents, packed for one row. What kernels read beyond its depth is there, and random.
struct Layer {
  size_t n, k, count;
  uint8_t flip;
  int32_t offset;
  std::vector<int8_t> weights;
  AlignedBuffer packed;
  Guarded<uint8_t> lhs;

  Layer(const Row& row, int cols, int depth, bool extreme, bool is_unsigned, uint32_t seed)
      : n(static_cast<size_t>(cols)),
        k(static_cast<size_t>(depth)),
        count(PaddedChannels(row, n)),
        flip(static_cast<uint8_t>((is_unsigned ? 0x80 : 0) ^ (row.lhs_offset ? 0x80 : 0))),
        offset(row.lhs_offset),
        weights(n * k),
        lhs(PaddedDepth(k)) {
    Random random(seed);
    for (auto& w : weights) {
      w = static_cast<int8_t>(extreme ? (random.Next() % 2 ? 127 : row.least_weight)
                                      : random.Between(row.least_weight, 127));
    }
    if (!packed.Allocate(count * PaddedDepth(k))) std::abort();
    kernels::gemv::PackPanels(row, {reinterpret_cast<const uint8_t*>(weights.data()), false, 0, k, 1}, n, k,
                              packed.data());
    for (auto& a : lhs) {
      a = static_cast<uint8_t>(extreme ? (random.Next() % 2 ? 255 : 0) : random.Between(0, 255));
      if (extreme && !is_unsigned) a ^= 0x80;  // -128 and 127
    }
  }
  int32_t Sum(size_t c) {
    uint32_t sum = 0;
    for (size_t d = 0; d < k; ++d) {
      const uint8_t byte = lhs[d] ^ flip;
      const int32_t a = offset ? byte : static_cast<int8_t>(byte);
      sum += static_cast<uint32_t>(a * weights[c * k + d]);
    }
    return static_cast<int32_t>(sum);
  }
};

LOWBIT_TEST("gemv: kernels equal the definition with every rounding that they take") {
  uint32_t seed = 1;
  EachRow([&](const Row& row) {
    for (int cols : {1, 7, 8, 9, 15, 16, 17, 24, 33, 40, 48, 56, 63, 64, 65, 129, 203}) {
      for (int depth : {1, 3, 4, 5, 8, 15, 31, 36, 64, 65, 577, 4099}) {
        if (!why->empty() || cols * depth > 300000) continue;
        ++seed;
        Layer layer(row, cols, depth, seed % 3 == 0, seed % 5 == 0, seed);
        Random random(seed);
        const int64_t most = 100000 + int64_t{255} * 128 * depth;
        std::vector<int32_t> bias(layer.count), multiplier(layer.count), shift(layer.count, -1);
        std::vector<int64_t> bound(layer.count, most);
        std::vector<double> scale(layer.count);
        for (size_t c = 0; c < layer.n; ++c) {
          bias[c] = random.Between(-100000, 100000);
          multiplier[c] = random.Between(1 << 30, INT32_MAX);
          shift[c] = random.Between(-18, -6);
          scale[c] = random.Next() % 8 ? random.Between(1 << 20, 1 << 23) / 1073741789.0 : 0.5;
        }
        for (bool once : {false, true}) {
          kernels::PackedChannels channels;
          const kernels::Output output = {-5, seed % 4 < 2 ? -128 : -5, 111,
                                          static_cast<uint8_t>(seed % 2 ? 0x80 : 0)};
          LOWBIT_CHECK(once ? channels.PackOnce(layer.count, bias.data(), scale.data(), bound.data(), output)
                            : channels.Pack(layer.count, bias.data(), multiplier.data(), shift.data(),
                                            bound.data(), output));
          LOWBIT_CHECK_THAT(channels.channels().folded.bias,
                            "seed " + std::to_string(seed) + " is not folded");
          Guarded<int8_t> out(layer.n);
          row.run({layer.lhs.data(), PaddedDepth(layer.k), layer.packed.data(), out.data(), 0, layer.n,
                   layer.flip},
                  channels.channels(), output);
          for (size_t c = 0; c < layer.n; ++c) {
            LOWBIT_CHECK_THAT(out[c] == kernels::Requantize(layer.Sum(c), channels.channels(), c, output),
                              std::string(row.name) + " " + std::to_string(cols) + "x" +
                                  std::to_string(depth) + " seed " + std::to_string(seed) +
                                  (once ? " once" : " twice"));
          }
        }
      }
    }
  });
}

LOWBIT_TEST("gemv: weights that are fetched ahead, and blocks that begin at a later panel") {
  EachRow([&](const Row& row) {
    Layer layer(row, 3 * row.nr + 5, 1500, false, false, 9);
    std::vector<int32_t> bias(layer.count, 77), multiplier(layer.count, 1 << 30), shift(layer.count, -12);
    std::vector<int64_t> bound(layer.count, 1 << 30);
    for (size_t c = 0; c < layer.count; ++c) bias[c] = static_cast<int32_t>(c) * 1000;
    kernels::PackedChannels channels;
    const kernels::Output output = {3, -128, 127, 0};
    LOWBIT_CHECK(
        channels.Pack(layer.count, bias.data(), multiplier.data(), shift.data(), bound.data(), output));
    for (size_t first : {size_t{0}, static_cast<size_t>(row.nr), 2 * static_cast<size_t>(row.nr)}) {
      Guarded<int8_t> out(layer.n - first);
      row.run({layer.lhs.data(), 1500, layer.packed.data() + first * 1500, out.data(), first, layer.n - first,
               layer.flip},
              channels.channels(), output);
      for (size_t c = first; c < layer.n; ++c) {
        LOWBIT_EQUAL(out[c - first], kernels::Requantize(layer.Sum(c), channels.channels(), c, output));
      }
    }
  });
}

// Every edge of both roundings, driven by the bias alone.
LOWBIT_TEST("gemv: requantisation equals scalar at its edges") {
  EachRow([&](const Row& row) {
    const size_t nr = static_cast<size_t>(row.nr);
    AlignedBuffer packed;
    LOWBIT_CHECK(packed.Allocate(nr * 4));
    const std::vector<uint8_t> lhs(4, 0);
    Random random(5);
    for (int round = 0; round < 20000; ++round) {
      const int shift = round % 31 - 31;
      const testing::EdgeChannels edges(&random, nr, shift, round);
      std::vector<double> scale(nr, 0.5);
      for (size_t c = 0; c < nr; ++c)
        scale[c] = edges.multiplier[c] / 2147483648.0 * std::pow(2.0, round % 5 ? -round % 20 : shift);
      for (bool once : {false, true}) {
        kernels::PackedChannels channels;
        const int zero_point = testing::EdgeZeroPoint(&random);
        const kernels::Output output = {zero_point, round % 3 ? -128 : zero_point, 127, 0};
        LOWBIT_CHECK(once ? channels.PackOnce(nr, edges.bias.data(), scale.data(), edges.bound.data(), output)
                          : channels.Pack(nr, edges.bias.data(), edges.multiplier.data(), edges.shift.data(),
                                          edges.bound.data(), output));
        if (!channels.channels().folded.bias) continue;
        std::vector<int8_t> out(nr);
        row.run({lhs.data(), 4, packed.data(), out.data(), 0, nr, 0}, channels.channels(), output);
        for (size_t c = 0; c < nr; ++c) {
          LOWBIT_CHECK_THAT(out[c] == kernels::Requantize(0, channels.channels(), c, output),
                            std::string(row.name) + " x " + std::to_string(edges.bias[c]) + " shift " +
                                std::to_string(shift) + (once ? " once" : " twice"));
        }
      }
    }
  });
}

// Trained layers have hundreds of channels, and one that does not fold makes all of them slow.
LOWBIT_TEST("requantize: factors of one rounding have the folded form") {
  Random random(11);
  int folded = 0;
  for (int i = 0; i < 4000; ++i) {
    const double scale = std::pow(2.0, -1 - random.Between(0, 11000) / 1000.0);
    const int32_t bias = 0;
    const int64_t bound = 1 << 29;
    kernels::PackedChannels channels;
    LOWBIT_CHECK(
        channels.PackOnce(1, &bias, &scale, &bound, {testing::EdgeZeroPoint(&random), -128, 127, 0}));
    folded += channels.channels().folded.bias != nullptr;
  }
  LOWBIT_CHECK_THAT(folded >= 3999, std::to_string(folded) + " of 4000");
}

LOWBIT_TEST("gemv: rows that pad beyond four times, or whose least weight is too high, are passed over") {
  for (size_t channels = 1; channels <= 200; ++channels) {
    for (int32_t least : {-127, -128}) {
      const Row* row = dispatch::gemv::Choose(channels, least, cpu::Detect());
      if (!row) continue;
      LOWBIT_CHECK_THAT(PaddedChannels(*row, channels) <= 4 * channels,
                        std::to_string(channels) + " channels");
      LOWBIT_CHECK(least >= row->least_weight);
    }
  }
  LOWBIT_CHECK(dispatch::gemv::Choose(1, -127, cpu::Detect()) == nullptr);
}

}  // namespace
}  // namespace lowbit::test
