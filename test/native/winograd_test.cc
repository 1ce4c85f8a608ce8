// The stages of Winograd convolutions against scalar, layers against the definition, and the condition on the
// weights at its bound and beyond.
#include "dispatch/winograd.h"

#include <cstring>
#include <string>
#include <vector>

#include "check.h"
#include "edges.h"
#include "guarded.h"
#include "kernels/requantize/pack.h"
#include "kernels/requantize/scalar.h"
#include "kernels/winograd/pack.h"
#include "kernels/winograd/scalar.h"
#include "rows.h"

namespace lowbit::test {
namespace {

using kernels::winograd::Range;
using kernels::winograd::Row;
using kernels::winograd::Strip;
using testing::Guarded;
using testing::Random;

template <typename Visit>
void EachRow(const Visit& visit) {
  for (const kernels::winograd::Rows* list : dispatch::winograd::Lists()) {
    for (size_t r = 0; r < list->count; ++r) {
      const Row& row = list->first[r];
      if (Runs(row)) visit(row);
    }
  }
}

const Row& ScalarLike(const Row& row) {
  const Row* found = kernels::winograd::kScalar.first;
  while (found->tile != row.tile) ++found;
  return *found;
}

// Sizes of tiles that a row may be asked for in a direction.
std::vector<int> TilesOf(const Row& row) {
  return row.tile == 4 ? std::vector<int>{4, 2} : std::vector<int>{2};
}

LOWBIT_TEST("winograd: the ways of a layer have room for all rows and the direct convolution") {
  size_t rows = 0;
  for (const kernels::winograd::Rows* list : dispatch::winograd::Lists()) {
    if (list->first->needs != cpu::kScalar) rows += list->count;
  }
  LOWBIT_CHECK(1 + rows <= sizeof dispatch::winograd::Ways::all / sizeof(dispatch::winograd::Way));
}

LOWBIT_TEST("winograd: transformed tiles equal scalar") {
  uint32_t seed = 1;
  EachRow([&](const Row& row) {
    for (int tile_h : TilesOf(row)) {
      for (int tile_w : TilesOf(row)) {
        for (size_t channels : {1, 2, 15, 16, 17, 31, 32, 33, 64, 75}) {
          Random random(++seed);
          const size_t h = 1 + random.Next() % 9, w = 1 + random.Next() % 40, count = 1 + random.Next() % 10;
          const size_t lanes = static_cast<size_t>(row.lanes), points = static_cast<size_t>(row.tile + 2);
          const size_t stride = (channels + lanes - 1) / lanes * lanes, plane = (count + 2) * stride + 32;
          Guarded<int8_t> pixels(h * w * channels), padding(channels);
          for (auto& code : pixels) code = static_cast<int8_t>(random.Next() % 3 ? random.Next() : 0x80);
          for (auto& code : padding) code = static_cast<int8_t>(random.Next());
          const kernels::winograd::Image image = {pixels.data(),
                                                  h,
                                                  w,
                                                  channels,
                                                  padding.data(),
                                                  random.Between(0, 3),
                                                  random.Between(0, 3),
                                                  static_cast<uint8_t>(seed % 2 ? 0x80 : 0)};
          const Strip strip = {random.Next() % h, random.Next() % w, tile_h, tile_w, count, 1};
          AlignedBuffer ours, right;
          LOWBIT_CHECK(ours.Allocate(points * points * plane * 2) &&
                       right.Allocate(points * points * plane * 2));
          row.transform(image, strip, {ours.as<int16_t>(), plane, stride, row.tile + 2});
          ScalarLike(row).transform(image, strip, {right.as<int16_t>(), plane, stride, row.tile + 2});
          for (size_t p = 0; p < points * points; ++p) {
            for (size_t slot = 0; slot < count + 2; ++slot) {
              for (size_t c = 0; c < channels; ++c) {
                const size_t i = p * plane + slot * stride + c;
                LOWBIT_CHECK_THAT(ours.as<int16_t>()[i] == right.as<int16_t>()[i],
                                  std::string(row.name) + " seed " + std::to_string(seed));
              }
            }
          }
        }
      }
    }
  });
}

LOWBIT_TEST("winograd: products equal the definition, modulo 2^32") {
  uint32_t seed = 1;
  EachRow([&](const Row& row) {
    for (size_t count = 1; count <= 2 * static_cast<size_t>(row.mr) + 3; ++count) {
      for (size_t channels : {2, 4, 30, 34}) {
        Random random(++seed);
        const size_t planes = kernels::winograd::PlaneCount(row.tile), nr = static_cast<size_t>(row.nr);
        const size_t stride = 64, slots = count + 3, plane = slots * stride, sums_plane = slots * nr + 16;
        AlignedBuffer in, packed, out;
        LOWBIT_CHECK(in.Allocate(planes * plane * 2) && packed.Allocate(planes * channels * nr * 2) &&
                     out.Allocate(planes * sums_plane * 4));
        const bool extreme = seed % 3 == 0;  // the bounds that the header of avx2_tile.h gives
        for (size_t i = 0; i < planes * plane; ++i)
          in.as<int16_t>()[i] = static_cast<int16_t>(extreme ? -12800 : random.Between(-12800, 12800));
        for (size_t i = 0; i < planes * channels * nr; ++i)
          packed.as<int16_t>()[i] = static_cast<int16_t>(extreme ? 12495 : random.Between(-12495, 12495));
        std::vector<Range> ranges(planes, Range{1, count});
        ranges[planes - 1] = {2, count - 1};
        row.multiply({{in.as<int16_t>(), plane, stride, row.tile + 2},
                      {out.as<int32_t>(), sums_plane, nr, row.tile + 2},
                      packed.as<int16_t>(),
                      ranges.data(),
                      channels});
        for (size_t p = 0; p < planes; ++p) {
          for (size_t slot = 0; slot < slots; ++slot) {
            const bool wanted = slot >= ranges[p].first && slot < ranges[p].first + ranges[p].count;
            for (size_t n = 0; n < nr; ++n) {
              uint32_t sum = 0;
              for (size_t c = 0; wanted && c < channels; ++c) {
                sum += static_cast<uint32_t>(
                    in.as<int16_t>()[p * plane + slot * stride + c] *
                    packed.as<int16_t>()[((p * channels + c) / 2 * nr + n) * 2 + c % 2]);
              }
              LOWBIT_CHECK_THAT(out.as<uint32_t>()[p * sums_plane + slot * nr + n] == sum,
                                std::string(row.name) + " seed " + std::to_string(seed));
            }
          }
        }
      }
    }
  });
}

// Constants of `count` channels: factors near those of layers, the edges of the literal rounding, real factors,
// or the edges of both roundings for sums that are the bias alone.
bool MakeChannels(Random* random, size_t count, int kind, const kernels::Output& output,
                  kernels::PackedChannels* channels) {
  if (kind == 3) {
    const testing::EdgeChannels edges(random, count, random->Between(-31, 8), random->Between(0, 47));
    return channels->Pack(count, edges.bias.data(), edges.multiplier.data(), edges.shift.data(),
                          edges.bound.data(), output);
  }
  std::vector<int32_t> bias(count), multiplier(count), shift(count);
  std::vector<int64_t> bound(count, int64_t{1} << 30);
  std::vector<double> scale(count);
  for (size_t c = 0; c < count; ++c) {
    bias[c] = random->Between(-(1 << 20), 1 << 20);
    multiplier[c] = random->Between(1 << 30, INT32_MAX);
    shift[c] = kind == 1 ? random->Between(-31, 3) : random->Between(-20, -10);
    scale[c] = random->Between(1, 1000) / 1e7;
  }
  return kind == 2
             ? channels->PackOnce(count, bias.data(), scale.data(), bound.data(), output)
             : channels->Pack(count, bias.data(), multiplier.data(), shift.data(), bound.data(), output);
}

LOWBIT_TEST("winograd: finished tiles equal scalar with every rounding") {
  uint32_t seed = 1;
  EachRow([&](const Row& row) {
    const size_t nr = static_cast<size_t>(row.nr), points = static_cast<size_t>(row.tile + 2);
    for (int tile_h : TilesOf(row)) {
      for (int tile_w : TilesOf(row)) {
        for (int round = 0; round < 120; ++round) {
          Random random(++seed);
          const int cols = round % 3 ? random.Between(1, row.nr) : row.nr;
          kernels::PackedChannels channels;
          const kernels::Output output = testing::EdgeOutput(&random, round % 3 ? 0x80 : 0);
          LOWBIT_CHECK(MakeChannels(&random, 2 * nr, round % 4, output, &channels));
          LOWBIT_CHECK(round % 4 != 0 || channels.channels().form != kernels::Form::kLiteral);
          const size_t count = 1 + random.Next() % 6, plane = (count + 2) * nr + 16;
          AlignedBuffer sums;
          LOWBIT_CHECK(sums.Allocate(points * points * plane * 4));
          const int width = random.Between(1, 31);  // of the sums, in bits
          for (size_t i = 0; i < points * points * plane; ++i)
            sums.as<int32_t>()[i] = round % 4 == 3 ? 0 : static_cast<int32_t>(random.Next()) >> (32 - width);
          const size_t y = random.Next() % 3, x = random.Next() % 3;
          const size_t h = y + 1 + random.Next() % static_cast<size_t>(tile_h);
          const size_t w =
              x + (count - 1) * static_cast<size_t>(tile_w) + 1 + random.Next() % static_cast<size_t>(tile_w);
          const size_t stride = static_cast<size_t>(cols) + random.Next() % 3;
          Guarded<int8_t> ours(h * w * stride), right(h * w * stride);
          for (size_t i = 0; i < ours.size(); ++i) ours[i] = right[i] = static_cast<int8_t>(i);
          const kernels::winograd::Planes<const int32_t> planes = {sums.as<int32_t>(), plane, nr,
                                                                   row.tile + 2};
          const Strip strip = {y, x, tile_h, tile_w, count, 1};
          // The last pixel has no channels beyond cols.
          const auto target = [&](Guarded<int8_t>& out) {
            return kernels::winograd::Target{
                out.data() + stride - static_cast<size_t>(cols), h, w, stride, nr, cols};
          };
          row.finish(planes, strip, target(ours), channels.channels(), output);
          ScalarLike(row).finish(planes, strip, target(right), channels.channels(), output);
          LOWBIT_CHECK_THAT(std::memcmp(ours.data(), right.data(), ours.size()) == 0,
                            std::string(row.name) + " seed " + std::to_string(seed));
        }
      }
    }
  });
}

// One 3x3 layer of one output channel over a square image, padded by one pixel of `padding`.
struct Layer {
  size_t extent, channels;
  std::vector<int8_t> weights, input, padding;

  Layer(size_t the_extent, size_t the_channels)
      : extent(the_extent),
        channels(the_channels),
        weights(9 * channels),
        input(extent * extent * channels),
        padding(channels) {}

  kernels::gemm::WeightView View() const {
    return {reinterpret_cast<const uint8_t*>(weights.data()), false, 0, 9 * channels, 1};
  }
  int64_t Sum(size_t y, size_t x) const {
    int64_t sum = 0;
    for (size_t k = 0; k < 9; ++k) {
      const size_t row = y + k / 3 - 1, column = x + k % 3 - 1;  // outside: beyond extent
      const bool inside = row < extent && column < extent;
      const int8_t* pixel = inside ? input.data() + (row * extent + column) * channels : padding.data();
      for (size_t c = 0; c < channels; ++c) sum += pixel[c] * weights[k * channels + c];
    }
    return sum;
  }

  // Whether sum + bias is found at every pixel: with factor 1 and these biases, codes are exact around 0.
  bool IsRight(const Row& row, const std::vector<int64_t>& centres) const {
    const size_t tile = static_cast<size_t>(row.tile), nr = static_cast<size_t>(row.nr);
    const size_t tiles = (extent + tile - 1) / tile, slots = tiles * tiles;
    const size_t planes = kernels::winograd::PlaneCount(row.tile), lanes = static_cast<size_t>(row.lanes);
    const size_t stride = (channels + lanes - 1) / lanes * lanes;
    AlignedBuffer points, sums, packed;
    if (!points.Allocate(planes * slots * stride * 2) || !sums.Allocate(planes * slots * nr * 4) ||
        !packed.Allocate(kernels::winograd::PanelSize(row.tile, row.nr, channels) * 2)) {
      std::abort();
    }
    kernels::winograd::Pack(row.tile, row.nr, View(), 1, channels, packed.as<int16_t>());
    const auto strip = [&](size_t y) { return Strip{y * tile, 0, row.tile, row.tile, tiles, y * tiles}; };
    const kernels::winograd::Image image = {input.data(), extent, extent, channels, padding.data(), 1, 1, 0};
    for (size_t y = 0; y < tiles; ++y)
      row.transform(image, strip(y), {points.as<int16_t>(), slots * stride, stride, row.tile + 2});
    const std::vector<Range> ranges(planes, Range{0, slots});
    row.multiply({{points.as<int16_t>(), slots * stride, stride, row.tile + 2},
                  {sums.as<int32_t>(), slots * nr, nr, row.tile + 2},
                  packed.as<int16_t>(),
                  ranges.data(),
                  kernels::winograd::EvenChannels(channels)});
    for (int64_t centre : centres) {
      std::vector<int32_t> bias(nr, static_cast<int32_t>(-centre)), multiplier(nr, 1 << 30), shift(nr, 1);
      const std::vector<int64_t> bound(nr, INT32_MAX);
      kernels::PackedChannels constants;
      if (!constants.Pack(nr, bias.data(), multiplier.data(), shift.data(), bound.data(), {0, -128, 127, 0}))
        std::abort();
      std::vector<int8_t> out(extent * extent);
      for (size_t y = 0; y < tiles; ++y) {
        row.finish({sums.as<int32_t>(), slots * nr, nr, row.tile + 2}, strip(y),
                   {out.data(), extent, extent, 1, 0, 1}, constants.channels(), {0, -128, 127, 0});
      }
      for (size_t i = 0; i < out.size(); ++i) {
        const int64_t distance = Sum(i / extent, i % extent) - centre;
        if (out[i] != (distance < -128 ? -128 : distance > 127 ? 127 : distance)) return false;
      }
    }
    return true;
  }
  // At all sums that occur.
  bool IsRight(const Row& row) const {
    std::vector<int64_t> centres;
    for (size_t i = 0; i < extent * extent; ++i) centres.push_back(Sum(i / extent, i % extent) + (i % 3 - 1));
    return IsRight(row, centres);
  }
  bool IsExact(int tile) const { return kernels::winograd::IsExact(tile, View(), 1, 9 * channels); }
};

LOWBIT_TEST("winograd: layers of extremes equal the definition") {
  EachRow([&](const Row& row) {
    for (size_t channels : {1, 2, 3, 16, 31, 229}) {
      for (size_t extent : {1, 4, 7}) {
        for (uint32_t seed = 1; seed <= 4; ++seed) {
          Random random(seed);
          Layer layer(extent, channels);
          // Checkerboards of the ends, or nothing but ends.
          const auto end = [&](size_t i, int low, int high) {
            return static_cast<int8_t>((seed <= 2 ? (i + i / 3 + seed) % 2 : random.Next() % 2) ? low : high);
          };
          for (size_t i = 0; i < layer.weights.size(); ++i)
            layer.weights[i] = end(i / channels + i, -127, 127);
          for (size_t i = 0; i < layer.input.size(); ++i) layer.input[i] = end(i / channels, -128, 127);
          for (auto& code : layer.padding) code = seed % 2 ? -128 : 127;
          LOWBIT_CHECK(layer.IsExact(row.tile));
          LOWBIT_CHECK_THAT(layer.IsRight(row), std::string(row.name) + " channels " +
                                                    std::to_string(channels) + " seed " +
                                                    std::to_string(seed));
        }
      }
    }
  });
}

// A layer whose weights are all of one sign, their sizes `total` together, and whose codes are all `code`.
Layer OneSided(size_t channels, int sign, int64_t total, int8_t code) {
  Layer layer(5, channels);
  for (size_t i = 0; i < layer.weights.size(); ++i) {
    const int64_t left = static_cast<int64_t>(layer.weights.size() - i);
    const int64_t size = (total + left - 1) / left;
    layer.weights[i] = static_cast<int8_t>(sign * size);
    total -= size;
  }
  std::fill(layer.input.begin(), layer.input.end(), code);
  std::fill(layer.padding.begin(), layer.padding.end(), code);
  return layer;
}

LOWBIT_TEST("winograd: exact up to the bound of tiles of four, and not beyond") {
  // Codes of -128: the sums are 128 times the total, and 2^25 of them is the first that wraps.
  constexpr int64_t kTotal = (int64_t{1} << 25) / 128;
  const Layer highest = OneSided(256, -1, kTotal - 1, -128), beyond = OneSided(256, -1, kTotal, -128);
  const Layer lowest = OneSided(256, 1, kTotal, -128), below = OneSided(256, 1, kTotal + 1, -128);
  LOWBIT_EQUAL(highest.Sum(2, 2), (int64_t{1} << 25) - 128);
  LOWBIT_EQUAL(lowest.Sum(2, 2), -(int64_t{1} << 25));
  LOWBIT_CHECK(highest.IsExact(4) && lowest.IsExact(4));
  LOWBIT_CHECK(!beyond.IsExact(4) && !below.IsExact(4));
  LOWBIT_CHECK(beyond.IsExact(2) && below.IsExact(2));
  EachRow([&](const Row& row) {
    LOWBIT_CHECK_THAT(highest.IsRight(row) && lowest.IsRight(row), row.name);
    LOWBIT_CHECK_THAT(beyond.IsRight(row) == (row.tile == 2) && below.IsRight(row) == (row.tile == 2),
                      row.name);
  });
}

LOWBIT_TEST("winograd: the bound of tiles of two") {
  constexpr int64_t kTotal = (int64_t{1} << 29) / 128;
  constexpr size_t kChannels = kTotal / (9 * 127) + 1;
  const auto all = [&](int64_t total) { return OneSided(kChannels, -1, total, -128).IsExact(2); };
  LOWBIT_CHECK(all(kTotal - 1) && !all(kTotal));
}

}  // namespace
}  // namespace lowbit::test
