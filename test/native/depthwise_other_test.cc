// Float32 and 16x8 depthwise kernels against the definition.
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "check.h"
#include "cpu/detect.h"
#include "dispatch/depthwise_f32.h"
#include "dispatch/depthwise_rows_f32.h"
#include "dispatch/depthwise_s16.h"
#include "guarded.h"
#include "kernels/requantize/wide.h"
#include "rows.h"

namespace lowbit::test {
namespace {

using testing::Guarded;
using testing::Random;

// Pointers to random pixels of an input of `count` pixels.
template <typename T>
std::vector<const T*> RandomTaps(const T* input, size_t count, size_t channels, Random* random) {
  std::vector<const T*> taps(count);
  for (auto& tap : taps) tap = input + random->Next() % count * channels;
  return taps;
}

void CompareReal(std::string* why, const kernels::depthwise_f32::Row& row, size_t pixels, size_t count,
                 size_t channels, uint32_t seed) {
  Random random(seed);
  const auto real = [&] { return static_cast<float>(random.Between(-1000, 1000)) / 256.0f; };
  Guarded<float> input(pixels * count * channels), weights(count * channels), bias(channels),
      out(pixels * channels);
  for (auto& v : input) v = real();
  for (auto& v : weights) v = real();
  for (auto& v : bias) v = real();
  if (seed % 3 == 0) input[random.Next() % input.size()] = NAN;
  const std::vector<const float*> taps = RandomTaps(input.data(), pixels * count, channels, &random);
  row.run({taps.data(), weights.data(), bias.data(), out.data(), pixels, count, channels, -30.0f, 25.0f});
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t c = 0; c < channels; ++c) {
      double sum = bias[c], size = std::fabs(sum);
      for (size_t t = 0; t < count; ++t) {
        const double product = double{taps[p * count + t][c]} * weights[t * channels + c];
        sum += product;
        size += std::fabs(product);
      }
      const double want = sum < -30 ? -30 : sum > 25 ? 25 : sum, got = out[p * channels + c];
      const double bound = static_cast<double>(count + 2) * 5.97e-8 * size;
      LOWBIT_CHECK_THAT(std::isnan(want) ? std::isnan(got) : std::fabs(got - want) <= bound,
                        std::string(row.name) + " seed " + std::to_string(seed));
    }
  }
}

LOWBIT_TEST("depthwise_f32: every row lies within the bound of rounding, NaN passes through") {
  uint32_t seed = 1;
  for (const kernels::depthwise_f32::Rows* list : dispatch::depthwise_f32::Lists()) {
    for (size_t r = 0; r < list->count; ++r) {
      if (!Runs(list->first[r])) continue;
      for (size_t channels : {1, 3, 7, 8, 9, 15, 16, 17, 24, 31, 33, 70}) {
        for (size_t count : {1, 2, 9, 25}) {
          for (size_t pixels : {1, 3, 4, 5, 9}) {
            CompareReal(why, list->first[r], pixels, count, channels, seed++);
            if (!why->empty()) return;
          }
        }
      }
    }
  }
}

void CompareRealRows(std::string* why, const kernels::depthwise_rows_f32::Row& row, size_t in_w, size_t pad,
                     size_t extra, size_t channels, uint32_t seed) {
  Random random(seed);
  const auto real = [&] { return static_cast<float>(random.Between(-1000, 1000)) / 256.0f; };
  const size_t filter = static_cast<size_t>(row.filter), stride = static_cast<size_t>(row.stride);
  const size_t reach = in_w + pad + extra, count = 1 + seed % 3;
  const size_t out_w = reach < filter ? 1 : (reach - filter) / stride + 1;
  Guarded<float> weights(filter * filter * channels), bias(channels), out(count * out_w * channels);
  for (auto& v : weights) v = real();
  for (auto& v : bias) v = real();
  std::vector<std::unique_ptr<Guarded<float>>> lines;
  std::vector<const float*> rows;
  for (size_t i = 0; i < count * filter; ++i) {
    lines.push_back(std::make_unique<Guarded<float>>(in_w * channels));
    for (auto& v : *lines.back()) v = real();
    if ((seed + i) % 7 == 0) (*lines.back())[random.Next() % (in_w * channels)] = NAN;
    rows.push_back(lines.back()->data());
  }
  row.run({rows.data(), weights.data(), bias.data(), out.data(), count, in_w, out_w, channels,
           static_cast<ptrdiff_t>(pad), -30.0f, 25.0f});
  const float* got = out.data();
  for (size_t y = 0; y < count; ++y) {
    for (size_t x = 0; x < out_w; ++x) {
      for (size_t c = 0; c < channels; ++c, ++got) {
        double sum = bias[c], size = std::fabs(sum);
        for (size_t t = 0; t < filter * filter; ++t) {
          const size_t ix = x * stride + t % filter - pad;  // wraps where it lies on the left
          if (ix >= in_w) continue;
          const double product =
              double{rows[y * filter + t / filter][ix * channels + c]} * weights[t * channels + c];
          sum += product;
          size += std::fabs(product);
        }
        const double want = sum < -30 ? -30 : sum > 25 ? 25 : sum;
        const double bound = static_cast<double>(filter * filter + 2) * 5.97e-8 * size;
        LOWBIT_CHECK_THAT(
            std::isnan(want) ? std::isnan(*got) : std::fabs(*got - want) <= bound,
            std::string(row.name) + " width " + std::to_string(in_w) + " seed " + std::to_string(seed));
      }
    }
  }
}

LOWBIT_TEST("depthwise_rows_f32: every row lies within the bound of rounding, NaN passes through") {
  uint32_t seed = 1;
  for (const kernels::depthwise_rows_f32::Rows* list : dispatch::depthwise_rows_f32::Lists()) {
    for (size_t r = 0; r < list->count; ++r) {
      const kernels::depthwise_rows_f32::Row& row = list->first[r];
      if (!Runs(row)) continue;
      const size_t filter = static_cast<size_t>(row.filter);
      for (size_t channels : {1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 70}) {
        for (size_t in_w = 1; in_w <= 9; ++in_w) {
          for (size_t pad = 0; pad < filter; ++pad, ++seed) {
            CompareRealRows(why, row, in_w, pad, seed % filter, channels, seed);
            if (!why->empty()) return;
          }
        }
      }
    }
  }
}

// The kinds of 16x8 layers: any values; the ends of the types; sums that leave 32 bits.
enum class Kind { kAny, kEnds, kWide };

void CompareWide(std::string* why, const kernels::depthwise_s16::Row& row, size_t pixels, size_t count,
                 size_t channels, Kind kind, uint32_t seed) {
  Random random(seed);
  std::vector<int8_t> weights(count * channels);
  std::vector<int64_t> bias(channels);
  std::vector<int32_t> multiplier(channels), shift(channels);
  const bool ends = kind != Kind::kAny;
  for (auto& w : weights)
    w = static_cast<int8_t>(ends ? (random.Next() % 2 ? 127 : -128) : random.Between(-128, 127));
  for (size_t c = 0; c < channels; ++c) {
    bias[c] = kind == Kind::kWide ? random.Between(-100, 100) * (int64_t{1} << 33)
                                  : random.Between(-9000000, 9000000);
    multiplier[c] = ends && random.Next() % 2 ? INT32_MAX : random.Between(1 << 30, INT32_MAX);
    shift[c] = random.Next() % 4 == 0 ? random.Between(-31, 7) : random.Between(-14, -6);
  }
  const kernels::depthwise_s16::Layer layer = {weights.data(),    count,       channels, bias.data(),
                                               multiplier.data(), shift.data()};
  if (!row.fits(layer)) return;
  AlignedBuffer packed;
  LOWBIT_CHECK(packed.Allocate(row.packed_bytes(count, channels)));
  row.pack(layer, packed.data());
  Guarded<int16_t> input(pixels * count * channels), out(pixels * channels);
  for (auto& v : input)
    v = static_cast<int16_t>(ends ? (random.Next() % 2 ? 32767 : -32768) : random.Between(-32768, 32767));
  const std::vector<const int16_t*> taps = RandomTaps(input.data(), pixels * count, channels, &random);
  const int32_t low = seed % 2 ? -32768 : -1000, high = seed % 2 ? 32767 : 20000;
  row.run({taps.data(), packed.data(), out.data(), pixels, count, channels, low, high});
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t c = 0; c < channels; ++c) {
      int64_t sum = bias[c];
      for (size_t t = 0; t < count; ++t) sum += taps[p * count + t][c] * weights[t * channels + c];
      const int32_t code = kernels::MultiplyWide(sum, multiplier[c], shift[c]);
      const int32_t want = code < low ? low : code > high ? high : code;
      LOWBIT_CHECK_THAT(out[p * channels + c] == want,
                        std::string(row.name) + " channels " + std::to_string(channels) + " taps " +
                            std::to_string(count) + " seed " + std::to_string(seed));
    }
  }
}

LOWBIT_TEST("depthwise_s16: every row equals the definition, also at the ends of the types") {
  uint32_t seed = 1;
  for (const kernels::depthwise_s16::Rows* list : dispatch::depthwise_s16::Lists()) {
    for (size_t r = 0; r < list->count; ++r) {
      if (!Runs(list->first[r])) continue;
      for (size_t channels : {1, 7, 15, 16, 17, 24, 31, 32, 33, 70}) {
        for (size_t count : {1, 2, 9, 25}) {
          for (const Kind kind : {Kind::kAny, Kind::kEnds, Kind::kWide}) {
            CompareWide(why, list->first[r], 1 + seed % 3, count, channels, kind, seed);
            if (!why->empty()) return;
            ++seed;
          }
        }
      }
    }
  }
}

LOWBIT_TEST("depthwise_s16: layers whose sums leave 32 bits take the scalar row") {
  const std::vector<int8_t> weights(512 * 16, -128);
  const std::vector<int64_t> bias(16, 0);
  const std::vector<int32_t> multiplier(16, 1 << 30), shift(16, -10);
  const auto layer = [&](size_t taps, const int64_t* biases) {
    return kernels::depthwise_s16::Layer{weights.data(), taps, 16, biases, multiplier.data(), shift.data()};
  };
  const auto needs = [&](const kernels::depthwise_s16::Layer& of) {
    return dispatch::depthwise_s16::Choose(of, cpu::Detect()).needs;
  };
  // 512 * 128 * 2^15 = 2^31, the first sum beyond.
  LOWBIT_EQUAL(needs(layer(512, bias.data())), cpu::kScalar);
  std::vector<int64_t> one = bias;
  one[3] = (int64_t{1} << 31) - (int64_t{511} << 22);
  LOWBIT_EQUAL(needs(layer(511, one.data())), cpu::kScalar);
  one[3] = -one[3] + 1;
  LOWBIT_EQUAL(needs(layer(511, one.data())), needs(layer(511, bias.data())));
}

}  // namespace
}  // namespace lowbit::test
