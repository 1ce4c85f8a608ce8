// Sums along an axis against the scalar ones: columns around a block, rows around the limit of 16-bit sums.
#include "dispatch/sum.h"

#include <cstring>

#include "simple_kernels.h"

namespace lowbit::test {
namespace {

using kernels::sum::Row;

LOWBIT_TEST("sum: every row equals the scalar one") {
  const auto same = [](const Row& a, const Row& b) { return a.kind == b.kind; };
  ForPairs(dispatch::sum::Lists(), same, [&](const Row& row, const Row& scalar) {
    uint32_t seed = 1;
    for (const size_t rows : {0, 1, 2, 31, 32, 33, 49, 127, 128, 129, 257, 1000}) {
      for (const size_t cols : {1, 2, 15, 16, 17, 31, 32, 33, 100}) {
        for (const int fill : {-1, 0x00, 0x7F, 0x80, 0xFF}) {
          Random random(seed++);
          Guarded<uint8_t> in(rows * cols);
          for (auto& x : in) x = fill < 0 ? static_cast<uint8_t>(random.Next()) : static_cast<uint8_t>(fill);
          Guarded<int32_t> got(cols), want(cols);
          row.run(in.data(), rows, cols, got.data());
          scalar.run(in.data(), rows, cols, want.data());
          LOWBIT_CHECK_THAT(std::memcmp(got.data(), want.data(), cols * sizeof(int32_t)) == 0,
                            std::string(row.name) + ": " + std::to_string(rows) + "x" + std::to_string(cols) +
                                " fill " + std::to_string(fill));
        }
      }
    }
  });
}

}  // namespace
}  // namespace lowbit::test
