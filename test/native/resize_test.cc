// Bilinear lines against the scalar ones: widths of pixels around a block, shares of both signs, extremes.
#include "dispatch/resize.h"

#include <cstring>
#include <vector>

#include "simple_kernels.h"

namespace lowbit::test {
namespace {

using kernels::resize::Kind;
using kernels::resize::Line;
using kernels::resize::Row;

template <typename T>
T Element(Random* random, bool ends) {
  const uint32_t bits = ends ? (random->Next() % 2 ? 0x80 : 0x7F) : random->Next();
  if constexpr (sizeof(T) == 1) {
    return static_cast<T>(bits);
  } else {
    return static_cast<T>(random->Between(-1000000, 1000000)) / 3;
  }
}

template <typename T>
void Compare(const Row& row, const Row& scalar, std::string* why) {
  Random random(1);
  for (const size_t channels : {1, 3, 7, 8, 9, 15, 16, 21, 24}) {
    for (int round = 0; round < 30; ++round) {
      const size_t pixels = 1 + random.Next() % 5, width = 1 + random.Next() % 7;
      Guarded<T> top(pixels * channels), bottom(pixels * channels);
      for (auto& x : top) x = Element<T>(&random, round % 3 == 0);
      for (auto& x : bottom) x = Element<T>(&random, round % 3 == 0);
      std::vector<size_t> first(width), second(width);
      std::vector<float> reals(width);
      std::vector<int32_t> whole(width);
      const auto share = [&] { return random.Between(round % 5 == 4 ? -1024 : 0, 1024); };
      for (size_t x = 0; x < width; ++x) {
        first[x] = random.Next() % pixels;
        second[x] = random.Next() % pixels;
        whole[x] = share();
        reals[x] = static_cast<float>(whole[x]) / 1031;
      }
      const bool is_whole = row.kind == Kind::kS8;
      const int32_t y = share();
      const Line line{top.data(),
                      bottom.data(),
                      first.data(),
                      second.data(),
                      is_whole ? static_cast<const void*>(whole.data()) : reals.data(),
                      static_cast<float>(y) / 1031,
                      y,
                      width,
                      channels};
      Guarded<T> got(width * channels), want(width * channels);
      row.run(line, got.data());
      scalar.run(line, want.data());
      LOWBIT_CHECK_THAT(std::memcmp(got.data(), want.data(), width * channels * sizeof(T)) == 0,
                        std::string(row.name) + ": " + std::to_string(channels) + " channels, round " +
                            std::to_string(round));
    }
  }
}

LOWBIT_TEST("resize: every row gives the bits of the scalar one") {
  const auto same = [](const Row& a, const Row& b) { return a.kind == b.kind; };
  ForPairs(dispatch::resize::Lists(), same, [&](const Row& row, const Row& scalar) {
    if (!why->empty()) return;
    if (row.kind == Kind::kF32) Compare<float>(row, scalar, why);
    if (row.kind == Kind::kU8) Compare<uint8_t>(row, scalar, why);
    if (row.kind == Kind::kS8) Compare<int8_t>(row, scalar, why);
  });
}

}  // namespace
}  // namespace lowbit::test
