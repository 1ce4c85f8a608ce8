// Every GEMM kernel against the plainest sum, over tile edges, extreme values and strides with gaps.
#include "dispatch/gemm.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "block.h"
#include "check.h"
#include "edges.h"
#include "guarded.h"
#include "kernels/gemm/pack.h"
#include "kernels/requantize/pack.h"
#include "kernels/requantize/scalar.h"
#include "rows.h"

namespace lowbit::test {
namespace {

using testing::Guarded;
using testing::Random;

using kernels::gemm::Row;

enum class Values { kRandom, kLowest, kEnds, kOneHot };

int32_t Pick(Values values, Random& random, size_t i, int32_t low, int32_t high) {
  switch (values) {
    case Values::kLowest:
      return low;
    case Values::kEnds:
      return i % 2 ? low : high;
    case Values::kOneHot:
      return i % 37 == 5 ? high : 0;
    default:
      return random.Between(low, high);
  }
}

constexpr size_t kRuns = 3;

// The depth and bytes of a panel whose runs have `depth` weights each.
int RunDepth(const Row& row, size_t depth) {
  return static_cast<int>(kernels::gemm::Runs{1, depth}.PaddedDepth(static_cast<size_t>(row.kr)));
}
size_t PanelBytes(const Row& row, size_t depth) {
  return static_cast<size_t>(RunDepth(row, depth) * row.nr * row.weight_bytes);
}

// One call of a kernel against the definition; `shift` sets the size of the factors. `depth` is that of a run;
// runs lie without gaps, so that what a kernel reads beyond one belongs to the next.
void Compare(std::string* why, const Row& row, int rows, int cols, int depth, Values values, int shift,
             uint8_t flip, uint32_t seed) {
  Random random(seed);
  const size_t nr = static_cast<size_t>(row.nr), m = static_cast<size_t>(rows), n = static_cast<size_t>(cols);
  const size_t run = static_cast<size_t>(depth), run_count = seed % kRuns + 1, k = run * run_count;
  const size_t padded = static_cast<size_t>(RunDepth(row, run)), panels = (n + nr - 1) / nr;
  const int32_t widest = row.weight_bytes == 1 ? 127 : 255;
  std::vector<int16_t> weights(n * k);
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<int16_t>(Pick(values, random, i, -widest - (row.weight_bytes == 1), widest));
  }

  // The packer reads codes; int16 weights are packed by hand.
  AlignedBuffer packed;
  const size_t panel_bytes = PanelBytes(row, run) * run_count;
  LOWBIT_CHECK(packed.Allocate(panel_bytes * panels));
  for (size_t c = 0; c < n; ++c) {
    for (size_t d = 0; d < k; ++d) {
      const size_t kr = static_cast<size_t>(row.kr), inside = d / run * padded + d % run;
      const size_t at = c / nr * nr * run_count * padded + inside / kr * nr * kr + c % nr * kr + inside % kr;
      if (row.weight_bytes == 1) {
        packed.as<int8_t>()[at] = static_cast<int8_t>(weights[c * k + d]);
      } else {
        packed.as<int16_t>()[at] = weights[c * k + d];
      }
    }
  }

  const size_t entries = panels * nr;
  std::vector<int32_t> bias(entries), multiplier(entries), shifts(entries);
  std::vector<int64_t> bound(entries);
  for (size_t c = 0; c < entries; ++c) {
    bias[c] = random.Between(-100000, 100000);
    multiplier[c] = random.Between(1 << 30, INT32_MAX);
    shifts[c] = shift;
    bound[c] = 100000 + int64_t{128} * 256 * static_cast<int64_t>(k);
  }
  kernels::PackedChannels channels;
  // Every second layer ends with a ReLU.
  const kernels::Output output = {3, random.Next() % 2 ? 3 : -120, 119, flip};
  LOWBIT_CHECK(channels.Pack(entries, bias.data(), multiplier.data(), shifts.data(), bound.data(), output));

  Guarded<int8_t> codes(m * k);
  Guarded<int16_t> lhs(m * k + padded - run);
  for (size_t i = 0; i < m; ++i) {
    for (size_t d = 0; d < k; ++d)
      codes[i * k + d] = static_cast<int8_t>(Pick(values, random, i + d, -128, 127));
    row.widen(codes.data() + i * k, k, flip, lhs.data() + i * k);
    for (size_t d = 0; d < k; ++d) {
      LOWBIT_EQUAL(lhs[i * k + d],
                   int16_t{static_cast<int8_t>(static_cast<uint8_t>(codes[i * k + d]) ^ flip)});
    }
  }
  const size_t gap = 5, stride = n + gap;
  Guarded<int8_t> out((m - 1) * stride + n);
  for (auto& code : out) code = 77;

  const testing::LhsRows<int16_t> lhs_rows(lhs.data(), m, k, run_count, run);
  row.run(
      testing::BlockOf(lhs_rows, static_cast<int>(padded), packed.data(), panel_bytes, out.data(), stride, n),
      channels.channels(), output);
  for (size_t i = 0; i < m; ++i) {
    for (size_t c = 0; c < n; ++c) {
      uint32_t sum = 0;
      for (size_t d = 0; d < k; ++d) sum += static_cast<uint32_t>(lhs[i * k + d] * weights[c * k + d]);
      const int8_t want = kernels::Requantize(static_cast<int32_t>(sum), channels.channels(), c, output);
      if (out[i * stride + c] != want) {
        *why = std::string(row.name) + " " + std::to_string(rows) + "x" + std::to_string(cols) + "x" +
               std::to_string(depth) + " shift " + std::to_string(shift) + " seed " + std::to_string(seed) +
               " at " + std::to_string(i) + "," + std::to_string(c) + ": " +
               std::to_string(out[i * stride + c]) + ", not " + std::to_string(want);
        return;
      }
    }
    for (size_t c = n; c < stride && i + 1 < m; ++c) LOWBIT_EQUAL(out[i * stride + c], int8_t{77});
  }
}

template <typename Visit>
void EachRow(std::string* why, const Visit& visit) {
  const Span<const kernels::gemm::Rows* const> lists = dispatch::gemm::Lists();
  for (const kernels::gemm::Rows* list : lists) {
    for (size_t i = 0; i < list->count; ++i) {
      if (!why->empty()) return;
      if (Runs(list->first[i])) visit(list->first[i]);
    }
  }
}

LOWBIT_TEST("gemm: kernels equal the definition") {
  EachRow(why, [&](const Row& row) {
    uint32_t seed = 1;
    for (int rows : {1, 2, 3, 4, 5, 6, 7, 8, 13, 2 * row.mr + 1}) {
      for (int cols : {1, 2, row.nr - 1, row.nr, row.nr + 1, 3 * row.nr - 2}) {
        for (int depth : {1, 2, 3, 15, 16, 17, 63, 577}) {
          for (Values values : {Values::kRandom, Values::kLowest, Values::kEnds, Values::kOneHot}) {
            Compare(why, row, rows, cols, depth, values, -(1 + static_cast<int>(seed % 14)),
                    seed % 2 ? 0x80 : 0, seed);
            ++seed;
          }
        }
      }
    }
  });
}

LOWBIT_TEST("gemm: kernels take every shift") {
  EachRow(why, [&](const Row& row) {
    for (int shift = -31; shift <= 30; ++shift) {
      Compare(why, row, row.mr, row.nr, 40, Values::kRandom, shift, 0, static_cast<uint32_t>(shift + 100));
    }
  });
}

// Accumulators come from the bias alone, so that every edge of the rounding can be driven.
LOWBIT_TEST("gemm: requantisation equals scalar at its edges") {
  EachRow(why, [&](const Row& row) {
    const size_t nr = static_cast<size_t>(row.nr);
    AlignedBuffer packed;
    LOWBIT_CHECK(packed.Allocate(PanelBytes(row, 2)));
    const std::vector<int16_t> lhs(static_cast<size_t>(row.kr), 0);
    Random random(7);
    for (int shift = -31; shift <= 8; ++shift) {
      for (int round = 0; round < 400; ++round) {
        const testing::EdgeChannels edges(&random, nr, shift, round);
        kernels::PackedChannels channels;
        const kernels::Output output = testing::EdgeOutput(&random);
        LOWBIT_CHECK(channels.Pack(nr, edges.bias.data(), edges.multiplier.data(), edges.shift.data(),
                                   edges.bound.data(), output));
        std::vector<int8_t> out(nr);
        row.run(testing::BlockOf(testing::LhsRows<int16_t>(lhs.data(), 1, 0), row.kr, packed.data(),
                                 PanelBytes(row, 2), out.data(), nr, nr),
                channels.channels(), output);
        for (size_t c = 0; c < nr; ++c) {
          const int8_t want = kernels::Requantize(0, channels.channels(), c, output);
          if (out[c] != want) {
            *why = std::string(row.name) + ": x " + std::to_string(edges.bias[c]) + " multiplier " +
                   std::to_string(edges.multiplier[c]) + " shift " + std::to_string(shift) + ": " +
                   std::to_string(out[c]) + ", not " + std::to_string(want);
            return;
          }
        }
      }
    }
  });
}

// Real factors, one rounding: halves and their neighbours, and products beyond int32.
LOWBIT_TEST("gemm: rounding once equals C's round") {
  EachRow(why, [&](const Row& row) {
    const size_t nr = static_cast<size_t>(row.nr);
    AlignedBuffer packed;
    LOWBIT_CHECK(packed.Allocate(PanelBytes(row, 2)));
    const std::vector<int16_t> lhs(static_cast<size_t>(row.kr), 0);
    Random random(11);
    for (int round = 0; round < 4000; ++round) {
      std::vector<int32_t> bias(nr);
      std::vector<double> scale(nr);
      for (size_t c = 0; c < nr; ++c) {
        constexpr double kScales[] = {0.5, 0.25, 1.0, 1e-9, 1e9, 0.1, 1.0 / 3, 0.49999999999999994, 0.0};
        scale[c] = round % 2 ? kScales[random.Next() % 9] : random.Between(1, 1 << 30) / 1073741824.0;
        bias[c] = round % 5 ? random.Between(-600, 600) : static_cast<int32_t>(random.Next());
        if (round % 64 == 0) bias[c] = random.Next() % 2 ? INT32_MIN : INT32_MAX;
      }
      kernels::PackedChannels channels;
      const std::vector<int64_t> bound(nr, int64_t{1} << 31);
      const kernels::Output output = {random.Between(-128, 127), -128, 127, 0};
      LOWBIT_CHECK(channels.PackOnce(nr, bias.data(), scale.data(), bound.data(), output));
      std::vector<int8_t> out(nr);
      row.run(testing::BlockOf(testing::LhsRows<int16_t>(lhs.data(), 1, 0), row.kr, packed.data(),
                               PanelBytes(row, 2), out.data(), nr, nr),
              channels.channels(), output);
      for (size_t c = 0; c < nr; ++c) {
        const double want = std::min(
            127.0, std::max(-128.0, std::round(static_cast<double>(bias[c]) * scale[c]) + output.zero_point));
        LOWBIT_CHECK_THAT(
            out[c] == static_cast<int8_t>(want),
            std::string(row.name) + ": x " + std::to_string(bias[c]) + " scale " + std::to_string(scale[c]));
      }
    }
  });
}

// The folded form of one rounding, at both sides of all places where a code changes and at the ends of its range.
LOWBIT_TEST("gemm: rounding once, folded, equals the definition") {
  EachRow(why, [&](const Row& row) {
    const size_t nr = static_cast<size_t>(row.nr);
    AlignedBuffer packed;
    LOWBIT_CHECK(packed.Allocate(PanelBytes(row, 2)));
    const std::vector<int16_t> lhs(static_cast<size_t>(row.kr), 0);
    Random random(12);
    int folded = 0;
    for (int round = 0; round < 400; ++round) {
      constexpr double kScales[] = {0.5, 0.25, 1.0 / 256, 1.0 / (1 << 20), 0.1, 1.0 / 3, 0.75, 1e-5};
      const double scale =
          round < 80 ? kScales[round % 8] : std::ldexp(random.Between(1 << 29, 1 << 30), -30 - round % 19);
      constexpr int32_t kMost = (1 << 30) - 1;
      const kernels::Output output = {round % 2 ? random.Between(-128, 127) : -128, -128, 127, 0};
      std::vector<int32_t> x;
      for (int below = -258; below < 258; ++below)
        for (int near = -1; near <= 2; ++near)
          x.push_back(static_cast<int32_t>(std::floor((below + 0.5) / scale)) + near);
      x.insert(x.end(), {-kMost, -kMost + 1, -1, 0, 1, kMost - 1, kMost});
      x.resize((x.size() + nr - 1) / nr * nr);
      const std::vector<double> scales(x.size(), scale);
      const std::vector<int64_t> bound(x.size(), kMost);
      kernels::PackedChannels channels;
      LOWBIT_CHECK(channels.PackOnce(x.size(), x.data(), scales.data(), bound.data(), output));
      if (channels.channels().folded.bias) ++folded;
      for (size_t first = 0; first < x.size(); first += nr) {
        std::vector<int8_t> out(nr);
        const testing::LhsRows<int16_t> rows(lhs.data(), 1, 0);
        auto block = testing::BlockOf(rows, row.kr, packed.data(), PanelBytes(row, 2), out.data(), nr, nr);
        block.channel = first;
        row.run(block, channels.channels(), output);
        for (size_t c = 0; c < nr; ++c) {
          LOWBIT_CHECK_THAT(out[c] == kernels::Requantize(0, channels.channels(), first + c, output),
                            std::string(row.name) + ": x " + std::to_string(x[first + c]) + " scale " +
                                std::to_string(scale));
        }
      }
    }
    LOWBIT_CHECK(folded > 350);  // dyadic factors too, whose products are halves
    // What the form has no room for keeps the other one.
    const std::vector<int32_t> bias(nr, 5);
    for (const double scale : {1.0, 1.5, 1e-7, 1e9}) {
      const std::vector<double> scales(nr, scale);
      const std::vector<int64_t> bound(nr, 5);
      kernels::PackedChannels channels;
      LOWBIT_CHECK(channels.PackOnce(nr, bias.data(), scales.data(), bound.data(), {0, -128, 127, 0}));
      LOWBIT_CHECK(!channels.channels().folded.bias);
    }
    const std::vector<double> scales(nr, 0.1);
    const std::vector<int64_t> bound(nr, int64_t{1} << 30);
    kernels::PackedChannels channels;
    LOWBIT_CHECK(channels.PackOnce(nr, bias.data(), scales.data(), bound.data(), {0, -128, 127, 0}));
    LOWBIT_CHECK(!channels.channels().folded.bias);
  });
}

// Stored bytes are copied into panels; with a zero point they are widened first.
LOWBIT_TEST("gemm: panels of stored bytes are those of the same weights with a zero point") {
  Random random(7);
  for (const size_t kr : {2, 4, 8}) {
    for (const size_t nr : {1, 6, 16}) {
      for (const size_t channels : {size_t{1}, nr, 2 * nr + 1}) {
        for (const size_t depth : {1, 3, 8, 63, 64, 131}) {
          for (const size_t run_count : {1, 3}) {
            const kernels::gemm::Runs runs{run_count, depth};
            const size_t line = run_count * depth, stride = line + 5;
            Guarded<uint8_t> codes(channels * stride - 5), shifted(channels * stride - 5);
            for (size_t i = 0; i < channels * stride - 5; ++i) {
              codes[i] = static_cast<uint8_t>(random.Between(0, 255));
              shifted[i] = codes[i] ^ 0x80;
            }
            const size_t bytes = (channels + nr - 1) / nr * nr * run_count * runs.PaddedDepth(kr);
            Guarded<uint8_t> packed(bytes), want(bytes);
            for (auto& byte : packed) byte = 0xAA;
            kernels::gemm::PackPanels(nr, kr, 1, {codes.data(), false, 0, stride, 1}, channels, runs,
                                      packed.data());
            kernels::gemm::PackPanels(nr, kr, 1, {shifted.data(), true, 128, stride, 1}, channels, runs,
                                      want.data());
            LOWBIT_CHECK(std::equal(packed.begin(), packed.end(), want.begin()));
          }
        }
      }
    }
  }
}

LOWBIT_TEST("gemm: sums and bounds of channels of the most extreme weights") {
  for (const size_t depth : {0, 1, 127, 128, 129, 1000}) {
    std::vector<int16_t> line(depth);
    const std::vector<uint8_t> zeros(depth, 0), lowest(depth, 0x80);
    const kernels::gemm::WeightView far{zeros.data(), true, 255, depth, 1};
    const kernels::gemm::WeightView stored{lowest.data(), false, 0, depth, 1};
    const auto sums = kernels::gemm::SumChannel(far, 0, depth, line.data());
    LOWBIT_EQUAL(sums.sum, -255 * static_cast<int64_t>(depth));
    LOWBIT_EQUAL(sums.size, 255 * static_cast<int64_t>(depth));
    LOWBIT_EQUAL(kernels::gemm::IsAbove(far, 0, depth, -128, line.data()), depth == 0);
    LOWBIT_EQUAL(kernels::gemm::IsAbove(stored, 0, depth, -128, line.data()), true);
    LOWBIT_EQUAL(kernels::gemm::IsAbove(stored, 0, depth, -127, line.data()), depth == 0);
  }
}

// Integer sums are exact; what is left are three float roundings a result.
LOWBIT_TEST("gemm: hybrid tiles lie within three roundings of the definition") {
  EachRow(why, [&](const Row& row) {
    uint32_t seed = 1;
    for (int rows : {1, 2, 3, 4, 5, 6, 7, 8, 13}) {
      for (int cols : {1, row.nr - 1, row.nr, 2 * row.nr + 3}) {
        for (int depth : {2, 16, 78}) {
          Random random(++seed);
          const size_t m = static_cast<size_t>(rows), n = static_cast<size_t>(cols),
                       k = static_cast<size_t>(depth);
          std::vector<int8_t> weights(n * k);
          for (auto& w : weights) w = static_cast<int8_t>(random.Between(-128, 127));
          AlignedBuffer packed;
          const size_t nr = static_cast<size_t>(row.nr), panels = (n + nr - 1) / nr;
          LOWBIT_CHECK(packed.Allocate(PanelBytes(row, k) * panels));
          kernels::gemm::PackPanels(nr, 2, static_cast<size_t>(row.weight_bytes),
                                    {reinterpret_cast<const uint8_t*>(weights.data()), false, 0, k, 1}, n,
                                    {1, k}, packed.data());
          const size_t padded = panels * nr;
          std::vector<float> scale(padded), bias(padded), row_scale(m);
          std::vector<int32_t> sums(padded), zero(m);
          const int32_t offset = random.Between(0, 128);
          const float low = seed % 3 == 0 ? -INFINITY : seed % 3 == 1 ? 0.0f : -200.0f;
          const float high = seed % 3 == 2 ? 300.0f : INFINITY;
          for (size_t c = 0; c < n; ++c) {
            scale[c] = static_cast<float>(random.Between(1, 1000)) / 1000.0f;
            bias[c] = static_cast<float>(random.Between(-1000, 1000));
            for (size_t d = 0; d < k; ++d) sums[c] += weights[c * k + d];
          }
          Guarded<int16_t> lhs(m * k);
          for (auto& a : lhs) a = static_cast<int16_t>(random.Between(-128, 127));
          for (size_t i = 0; i < m; ++i) {
            row_scale[i] = static_cast<float>(random.Between(1, 99)) / 64.0f;
            zero[i] = i % 3 ? random.Between(-128, 127) : 0;
          }
          Guarded<float> out(m * n);
          row.run_hybrid(testing::BlockOf(testing::LhsRows<int16_t>(lhs.data(), m, k), depth, packed.data(),
                                          PanelBytes(row, k), out.data(), n, n),
                         {scale.data(), bias.data(), sums.data(), offset, low, high, seed % 2 == 0},
                         {row_scale.data(), zero.data(), 1});
          for (size_t i = 0; i < m; ++i) {
            for (size_t c = 0; c < n; ++c) {
              int64_t sum = 0;
              for (size_t d = 0; d < k; ++d) sum += (lhs[i * k + d] - offset - zero[i]) * weights[c * k + d];
              const double product = static_cast<double>(sum) * row_scale[i] * scale[c];
              const double bound = 4 * 5.97e-8 * (std::fabs(product) + std::fabs(bias[c]));
              const double want = std::fmin(high, std::fmax(low, product + bias[c]));
              LOWBIT_CHECK_THAT(std::fabs(out[i * n + c] - want) <= bound,
                                std::string(row.name) + " seed " + std::to_string(seed));
            }
          }
        }
      }
    }
  });
}

// gemmlowp's own words for the two roundings, by exact rational arithmetic in 128 bits.
LOWBIT_TEST("gemm: scalar requantisation is the double rounding of the reference") {
  Random random(3);
  for (int i = 0; i < 200000; ++i) {
    const int32_t x = static_cast<int32_t>(random.Next()), m = random.Between(1 << 30, INT32_MAX);
    const int right = random.Between(0, 31);
    // Round half up of 2xm / 2^32, as floor((2xm + 2^31) / 2^32).
    const __int128 twice = static_cast<__int128>(x) * m * 2 + (static_cast<__int128>(1) << 31);
    __int128 high = twice / (static_cast<__int128>(1) << 32);
    if (twice % (static_cast<__int128>(1) << 32) != 0 && twice < 0) --high;
    // Round half away from zero of high / 2^right.
    const __int128 unit = static_cast<__int128>(1) << right, magnitude = high < 0 ? -high : high;
    const __int128 rounded = (magnitude * 2 + unit) / (unit * 2);
    const int32_t want = static_cast<int32_t>(high < 0 ? -rounded : rounded);
    LOWBIT_EQUAL(kernels::MultiplyByQuantizedMultiplier(x, m, 0, right), want);
  }
}

}  // namespace
}  // namespace lowbit::test
