// Every depthwise kernel against the definition, over channel blocks, tap counts and extreme values.
#include "dispatch/depthwise.h"

#include <algorithm>
#include <string>
#include <vector>

#include "check.h"
#include "edges.h"
#include "guarded.h"
#include "kernels/depthwise/pack.h"
#include "kernels/requantize/pack.h"
#include "kernels/requantize/scalar.h"
#include "rows.h"

namespace lowbit::test {
namespace {

using testing::Guarded;
using testing::Random;

using kernels::depthwise::Row;

// Of what sums are made: any codes, the ends of codes and weights, or the bias alone, at the edges of roundings.
enum class Values { kAny, kExtreme, kEdges };

void Compare(std::string* why, const Row& row, size_t pixels, size_t taps, size_t channels, int shift,
             uint8_t flip, Values values, uint32_t seed) {
  Random random(seed);
  const bool extreme = values == Values::kExtreme;
  const kernels::depthwise::Layout& layout = *row.layout;
  std::vector<int16_t> weights(taps * channels, 255);
  const bool is_wide = layout.fits(weights.data(), weights.size());
  const int32_t low = is_wide ? -255 : -128, high = is_wide ? 255 : 127;
  for (auto& w : weights)
    w = static_cast<int16_t>(extreme ? (random.Next() % 2 ? high : low) : random.Between(low, high));
  if (values == Values::kEdges) std::fill(weights.begin(), weights.end(), int16_t{0});
  AlignedBuffer packed;
  LOWBIT_CHECK(packed.Allocate(layout.packed_bytes(taps, channels)));
  layout.pack(weights.data(), taps, channels, packed.data());
  std::vector<int32_t> bias(channels), multiplier(channels), shifts(channels, shift);
  std::vector<int64_t> bound(channels, 100000 + int64_t{256} * 255 * static_cast<int64_t>(taps));
  for (size_t c = 0; c < channels; ++c) {
    bias[c] = random.Between(-100000, 100000);
    multiplier[c] = random.Between(1 << 30, INT32_MAX);
  }
  if (values == Values::kEdges) {
    const testing::EdgeChannels edges(&random, channels, shift, static_cast<int>(seed));
    bias = edges.bias;
    multiplier = edges.multiplier;
    bound = edges.bound;
  }
  const size_t entries = layout.entries(channels);
  std::vector<int32_t> laid_bias(entries), laid_multiplier(entries), laid_shift(entries, -1);
  std::vector<int64_t> laid_bound(entries);
  for (size_t i = 0; i < entries; ++i) {
    const size_t c = layout.channel_of(i, channels);
    if (c == SIZE_MAX) continue;
    laid_bias[i] = bias[c];
    laid_multiplier[i] = multiplier[c];
    laid_shift[i] = shift;
    laid_bound[i] = bound[c];
  }
  kernels::PackedChannels constants, laid;
  const kernels::Output output = testing::EdgeOutput(&random, flip);
  LOWBIT_CHECK(constants.Pack(channels, bias.data(), multiplier.data(), shifts.data(), bound.data(), output));
  LOWBIT_CHECK(laid.Pack(entries, laid_bias.data(), laid_multiplier.data(), laid_shift.data(),
                         laid_bound.data(), output));

  Guarded<int8_t> input(pixels * taps * channels);
  for (auto& code : input)
    code = static_cast<int8_t>(extreme ? (random.Next() % 2 ? 127 : -128) : random.Between(-128, 127));
  std::vector<const int8_t*> pointers(pixels * taps);
  for (size_t i = 0; i < pointers.size(); ++i)
    pointers[i] = input.data() + (i * 7 + seed) % (pixels * taps) * channels;
  const size_t gap = 3, stride = channels + gap;
  Guarded<int8_t> out((pixels - 1) * stride + channels);
  for (auto& code : out) code = 55;

  const kernels::depthwise::Call call = {
      pointers.data(), packed.data(), out.data(), static_cast<ptrdiff_t>(stride),
      pixels,          taps,          channels,   flip};
  row.run(call, laid.channels(), output);
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t c = 0; c < channels; ++c) {
      uint32_t sum = 0;
      for (size_t t = 0; t < taps; ++t) {
        const int8_t code = static_cast<int8_t>(static_cast<uint8_t>(pointers[p * taps + t][c]) ^ flip);
        sum += static_cast<uint32_t>((code + layout.lhs_offset) * weights[t * channels + c]);
      }
      const int8_t want = kernels::Requantize(static_cast<int32_t>(sum), constants.channels(), c, output);
      if (out[p * stride + c] != want) {
        *why = std::string(row.name) + " taps " + std::to_string(taps) + " channels " +
               std::to_string(channels) + " shift " + std::to_string(shift) + " seed " +
               std::to_string(seed) + " at " + std::to_string(p) + "," + std::to_string(c) + ": " +
               std::to_string(out[p * stride + c]) + ", not " + std::to_string(want);
        return;
      }
    }
    for (size_t c = channels; c < stride && p + 1 < pixels; ++c)
      LOWBIT_EQUAL(out[p * stride + c], int8_t{55});
  }
}

LOWBIT_TEST("depthwise: kernels equal the definition") {
  const Span<const kernels::depthwise::Rows* const> lists = dispatch::depthwise::Lists();
  for (const kernels::depthwise::Rows* list : lists) {
    for (size_t i = 0; i < list->count; ++i) {
      const Row& row = list->first[i];
      if (!Runs(row)) continue;
      uint32_t seed = 1;
      for (size_t channels :
           {1, 2, 3, 5, 7, 8, 9, 12, 15, 16, 17, 23, 24, 25, 31, 32, 33, 40, 47, 64, 65, 100, 130}) {
        for (size_t taps : {1, 2, 3, 4, 8, 9, 25}) {
          for (int shift : {-1, -9, -31, 0, 2}) {
            Compare(why, row, 1 + seed % 3, taps, channels, shift, seed % 4 < 2 ? 0x80 : 0,
                    seed % 5 == 0 ? Values::kExtreme : Values::kAny, seed);
            if (!why->empty()) return;
            ++seed;
          }
        }
      }
    }
  }
}

LOWBIT_TEST("depthwise: requantisation equals scalar at its edges") {
  for (const kernels::depthwise::Rows* list : dispatch::depthwise::Lists()) {
    for (size_t i = 0; i < list->count; ++i) {
      const Row& row = list->first[i];
      if (!Runs(row)) continue;
      for (uint32_t seed = 1; seed <= 4000; ++seed) {
        const size_t channels = seed % 4 ? 64 : 1 + seed % 70;
        Compare(why, row, 1, 1, channels, static_cast<int>(seed % 40) - 31, 0, Values::kEdges, seed);
        if (!why->empty()) return;
      }
    }
  }
}

}  // namespace
}  // namespace lowbit::test
