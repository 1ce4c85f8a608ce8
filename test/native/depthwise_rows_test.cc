// Every kernel of kernels/depthwise_rows against the definition, over widths, edges, channel blocks and extreme
// values.
#include "dispatch/depthwise_rows.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "edges.h"
#include "guarded.h"
#include "kernels/requantize/pack.h"
#include "kernels/requantize/scalar.h"
#include "rows.h"

namespace lowbit::test {
namespace {

using kernels::depthwise_rows::Row;
using testing::Guarded;
using testing::Random;

struct Case {
  size_t in_w, channels, count;
  ptrdiff_t pad_left;
  size_t extra;  // columns of padding on the right that the output reaches
  int shift;     // 1: one real factor a channel and one rounding
  bool extreme;
  uint8_t flip;
  bool edges;  // sums are the bias alone, at the edges of the roundings
};

// The constants of a layer twice: in channel order for the definition, in the order of the kernel's layout.
struct Constants {
  kernels::PackedChannels plain, laid;
};

void Fill(std::string* why, const kernels::depthwise::Layout& layout, const Case& c, size_t taps,
          const kernels::Output& output, Random* random, Constants* constants) {
  const size_t entries = layout.entries(c.channels);
  std::vector<int32_t> bias(c.channels), multiplier(c.channels), shift(c.channels, c.shift);
  std::vector<int64_t> bound(c.channels, 100000 + int64_t{256} * 255 * static_cast<int64_t>(taps));
  std::vector<double> scale(c.channels);
  for (size_t i = 0; i < c.channels; ++i) {
    bias[i] = random->Between(-100000, 100000);
    multiplier[i] = random->Between(1 << 30, INT32_MAX);
    scale[i] = random->Between(0, 1000) * 1e-5;
  }
  if (c.edges) {
    const testing::EdgeChannels edges(random, c.channels, c.shift, random->Between(0, 47));
    bias = edges.bias;
    multiplier = edges.multiplier;
    bound = edges.bound;
  }
  std::vector<int32_t> laid_bias(entries), laid_multiplier(entries), laid_shift(entries, -1);
  std::vector<int64_t> laid_bound(entries);
  std::vector<double> laid_scale(entries);
  for (size_t i = 0; i < entries; ++i) {
    const size_t channel = layout.channel_of(i, c.channels);
    if (channel == SIZE_MAX) continue;
    laid_bias[i] = bias[channel];
    laid_multiplier[i] = multiplier[channel];
    laid_shift[i] = shift[channel];
    laid_bound[i] = bound[channel];
    laid_scale[i] = scale[channel];
  }
  if (c.shift == 1) {
    LOWBIT_CHECK(constants->plain.PackOnce(c.channels, bias.data(), scale.data(), bound.data(), output));
    LOWBIT_CHECK(
        constants->laid.PackOnce(entries, laid_bias.data(), laid_scale.data(), laid_bound.data(), output));
    return;
  }
  LOWBIT_CHECK(
      constants->plain.Pack(c.channels, bias.data(), multiplier.data(), shift.data(), bound.data(), output));
  LOWBIT_CHECK(constants->laid.Pack(entries, laid_bias.data(), laid_multiplier.data(), laid_shift.data(),
                                    laid_bound.data(), output));
}

void Compare(std::string* why, const Row& row, const Case& c, uint32_t seed) {
  Random random(seed);
  const kernels::depthwise::Layout& layout = *row.layout;
  const size_t filter = static_cast<size_t>(row.filter), stride = static_cast<size_t>(row.stride);
  const size_t taps = filter * filter;
  const size_t reach = c.in_w + static_cast<size_t>(c.pad_left) + c.extra;
  const size_t out_w = reach < filter ? 1 : (reach - filter) / stride + 1;
  std::vector<int16_t> weights(taps * c.channels, 255);
  const bool is_wide = layout.fits(weights.data(), weights.size());
  const int32_t low = is_wide ? -255 : -128, high = is_wide ? 255 : 127;
  for (auto& w : weights)
    w = static_cast<int16_t>(c.extreme ? (random.Next() % 2 ? high : low) : random.Between(low, high));
  if (c.edges) std::fill(weights.begin(), weights.end(), int16_t{0});
  AlignedBuffer packed;
  LOWBIT_CHECK(packed.Allocate(layout.packed_bytes(taps, c.channels)));
  layout.pack(weights.data(), taps, c.channels, packed.data());
  Constants constants;
  const kernels::Output output = testing::EdgeOutput(&random, c.flip);
  Fill(why, layout, c, taps, output, &random, &constants);

  // Neighbouring rows of an image have input rows in common; where an image ends, they have none.
  const size_t step = seed % 3 ? stride : filter;
  std::vector<std::unique_ptr<Guarded<int8_t>>> lines;
  for (size_t i = 0; i < (c.count - 1) * step + filter; ++i) {
    lines.push_back(std::make_unique<Guarded<int8_t>>(c.in_w * c.channels));
    for (auto& code : *lines.back())
      code = static_cast<int8_t>(c.extreme ? (random.Next() % 2 ? 127 : -128) : random.Between(-128, 127));
  }
  std::vector<const int8_t*> rows;
  for (size_t i = 0; i < c.count * filter; ++i) rows.push_back(lines[i / filter * step + i % filter]->data());
  const uint8_t padding = static_cast<uint8_t>(c.extreme ? (seed % 2 ? 127 : 128) : random.Next());
  Guarded<int8_t> out(c.count * out_w * c.channels);
  row.run({rows.data(), packed.data(), out.data(), c.count, c.in_w, out_w, c.channels, c.pad_left, c.flip,
           padding},
          constants.laid.channels(), output);

  const int8_t* got = out.data();
  for (size_t y = 0; y < c.count; ++y) {
    for (size_t x = 0; x < out_w; ++x) {
      for (size_t channel = 0; channel < c.channels; ++channel, ++got) {
        uint32_t sum = 0;
        for (size_t t = 0; t < taps; ++t) {
          const ptrdiff_t ix = static_cast<ptrdiff_t>(x * stride + t % filter) - c.pad_left;
          const bool inside = ix >= 0 && ix < static_cast<ptrdiff_t>(c.in_w);
          const int8_t* line = rows[y * filter + t / filter];
          const uint8_t stored =
              inside ? static_cast<uint8_t>(line[static_cast<size_t>(ix) * c.channels + channel]) : padding;
          const int32_t code = static_cast<int8_t>(stored ^ c.flip);
          sum += static_cast<uint32_t>((code + layout.lhs_offset) * weights[t * c.channels + channel]);
        }
        const int8_t want =
            kernels::Requantize(static_cast<int32_t>(sum), constants.plain.channels(), channel, output);
        if (*got == want) continue;
        *why = std::string(row.name) + " width " + std::to_string(c.in_w) + " pad " +
               std::to_string(c.pad_left) + " + " + std::to_string(c.extra) + " channels " +
               std::to_string(c.channels) + " shift " + std::to_string(c.shift) + " seed " +
               std::to_string(seed) + " at " + std::to_string(y) + "," + std::to_string(x) + "," +
               std::to_string(channel) + ": " + std::to_string(*got) + ", not " + std::to_string(want);
        return;
      }
    }
  }
}

void CompareAll(std::string* why, const Row& row) {
  uint32_t seed = 1;
  const int shifts[] = {-1, -9, -31, 0, 2, 1};
  for (size_t channels : {1, 3, 7, 8, 9, 15, 16, 17, 24, 25, 31, 32, 40, 65, 130}) {
    if (channels < row.fewest_channels) continue;
    for (size_t in_w = 1; in_w <= 9; ++in_w) {
      for (ptrdiff_t pad = 0; pad < row.filter; ++pad, ++seed) {
        const Case c = {in_w,
                        channels,
                        1 + seed % 4,
                        pad,
                        seed % static_cast<uint32_t>(row.filter),
                        shifts[seed % 6],
                        seed % 5 == 0,
                        static_cast<uint8_t>(seed % 7 < 3 ? 0x80 : 0),
                        false};
        Compare(why, row, c, seed);
        if (!why->empty()) return;
      }
    }
  }
}

LOWBIT_TEST("depthwise_rows: kernels equal the definition") {
  for (const kernels::depthwise_rows::Rows* list : dispatch::depthwise_rows::Lists()) {
    for (size_t i = 0; i < list->count; ++i) {
      const Row& row = list->first[i];
      if (!Runs(row)) continue;
      CompareAll(why, row);
      for (uint32_t seed = 1; why->empty() && seed <= 2000; ++seed) {
        const int shift = static_cast<int>(seed % 40) - 31;
        Compare(why, row,
                {3, std::max<size_t>(row.fewest_channels, 1 + seed % 33), 1 + seed % 3, 1, 1,
                 shift == 1 ? -8 : shift, false, 0, true},
                seed);
      }
      if (!why->empty()) return;
    }
  }
}

}  // namespace
}  // namespace lowbit::test
