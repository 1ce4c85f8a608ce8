// Kernels of training: steps of optimisers, fake quantisation and scaled columns give the bits of the scalar ones, sums
// of columns lie within the bound of their roundings.
#include <cmath>
#include <cstring>
#include <vector>

#include "dispatch/columns_f32.h"
#include "dispatch/grid_f32.h"
#include "dispatch/update_f32.h"
#include "simple_kernels.h"

namespace lowbit::test {
namespace {

void Fill(Guarded<float>* values, Random* random, int low = -1000) {
  for (auto& x : *values) x = static_cast<float>(random->Between(low, 1000)) / 300.0f;
}

bool Same(Guarded<float>& a, Guarded<float>& b) {
  return a.size() == b.size() &&
         (a.size() == 0 || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

LOWBIT_TEST("update_f32: every row gives the bits of the scalar one") {
  using kernels::update_f32::Arrays;
  const auto same = [](const auto& a, const auto& b) { return a.method == b.method; };
  ForPairs(dispatch::update_f32::Lists(), same, [&](const auto& row, const auto& scalar) {
    Random random(1);
    for (size_t count = 0; count < 70; ++count) {
      Guarded<float> w(count), g(count), m(count), v(count), numbers(kernels::update_f32::kMostNumbers);
      for (auto* values : {&w, &g, &m}) Fill(values, &random);
      Fill(&v, &random, 0);
      Fill(&numbers, &random, 1);
      Guarded<float> got[3] = {Guarded<float>(count), Guarded<float>(count), Guarded<float>(count)};
      Guarded<float> want[3] = {Guarded<float>(count), Guarded<float>(count), Guarded<float>(count)};
      const auto arrays = [&](Guarded<float>(&to)[3]) {
        return Arrays{w.data(), g.data(), m.data(), v.data(), to[0].data(), to[1].data(), to[2].data()};
      };
      row.run(arrays(got), count, numbers.data());
      scalar.run(arrays(want), count, numbers.data());
      const int results = 1 + kernels::update_f32::StatesOf(row.method);
      for (int i = 0; i < results; ++i)
        LOWBIT_CHECK_THAT(Same(got[i], want[i]), std::string(row.name) + " count " + std::to_string(count));
    }
  });
}

LOWBIT_TEST("grid_f32: every row gives the bits of the scalar one") {
  const auto any = [](const auto&, const auto&) { return true; };
  ForPairs(dispatch::grid_f32::Lists(), any, [&](const auto& row, const auto& scalar) {
    Random random(5);
    const kernels::grid_f32::Grid grid = {0.25f, -7.0f, 8.0f};
    const float edges[] = {-0.0f,   0.125f,      -0.125f,  0.1249999f, -0.375f, 2.0f,
                           2.0001f, -1.7500001f, INFINITY, -INFINITY,  1e-40f,  -1e38f};
    for (size_t count = 0; count < 70; ++count) {
      Guarded<float> x(count), dy(count);
      for (auto* values : {&x, &dy}) Fill(values, &random);
      for (size_t i = count % 3; i < count; i += 3) x[i] = edges[i % (sizeof edges / sizeof edges[0])];
      Guarded<float> got(count), want(count);
      const std::string where = std::string(row.name) + " count " + std::to_string(count);
      row.quantize(x.data(), grid, count, got.data());
      scalar.quantize(x.data(), grid, count, want.data());
      LOWBIT_CHECK_THAT(Same(got, want), where);
      row.gradient(x.data(), dy.data(), grid, count, got.data());
      scalar.gradient(x.data(), dy.data(), grid, count, want.data());
      LOWBIT_CHECK_THAT(Same(got, want), where + " gradient");
    }
  });
}

constexpr size_t kColumns[] = {1, 3, 8, 15, 16, 17, 33, 64, 65, 100, 131};
constexpr size_t kRows[] = {1, 2, 127, 128, 129, 300};

LOWBIT_TEST("columns_f32: sums and products lie within their bound") {
  const auto any = [](const auto&, const auto&) { return true; };
  ForPairs(dispatch::columns_f32::Lists(), any, [&](const auto& row, const auto& scalar) {
    Random random(2);
    for (const size_t cols : kColumns) {
      for (const size_t rows : kRows) {
        Guarded<float> x(rows * cols), y(rows * cols), shift(cols);
        for (auto* values : {&x, &y, &shift}) Fill(values, &random);
        for (const auto* tested : {&row, &scalar}) {
          Guarded<float> sums(cols), both(cols), products(cols);
          for (auto* values : {&sums, &both, &products})
            for (auto& value : *values) value = 1;  // what was there stays
          tested->sum(x.data(), rows, cols, sums.data());
          tested->product(x.data(), y.data(), shift.data(), rows, cols, both.data(), products.data());
          LOWBIT_CHECK_THAT(Same(sums, both), std::string(tested->name) + ": two ways to sum");
          for (size_t c = 0; c < cols; ++c) {
            double sum = 1, product = 1, sizes = 1, product_sizes = 1;
            for (size_t r = 0; r < rows; ++r) {
              const double a = x[r * cols + c], b = a * (double{y[r * cols + c]} - double{shift[c]});
              sum += a;
              product += b;
              sizes += std::fabs(a);
              product_sizes += std::fabs(b);
            }
            const double steps = kernels::columns_f32::kBlock + 2 + static_cast<double>(rows) / 128;
            const double bound = (steps + 2) * 6e-8;
            const std::string where =
                std::string(tested->name) + " " + std::to_string(rows) + "x" + std::to_string(cols);
            LOWBIT_CHECK_THAT(std::fabs(sums[c] - sum) <= bound * sizes, where);
            LOWBIT_CHECK_THAT(std::fabs(products[c] - product) <= bound * product_sizes, where);
          }
        }
      }
    }
  });
}

LOWBIT_TEST("columns_f32: every row scales to the bits of the scalar one") {
  const auto any = [](const auto&, const auto&) { return true; };
  ForPairs(dispatch::columns_f32::Lists(), any, [&](const auto& row, const auto& scalar) {
    Random random(3);
    for (const size_t cols : kColumns) {
      constexpr size_t kCount = 5;
      Guarded<float> x(kCount * cols), shift(cols), factor(cols), offset(cols), got(kCount * cols),
          want(kCount * cols);
      for (auto* values : {&x, &shift, &factor, &offset}) Fill(values, &random);
      const kernels::columns_f32::Line line = {shift.data(), factor.data(), offset.data()};
      row.scale(x.data(), line, kCount, cols, got.data());
      scalar.scale(x.data(), line, kCount, cols, want.data());
      LOWBIT_CHECK_THAT(Same(got, want), std::string(row.name) + " columns " + std::to_string(cols));
      row.scale(x.data(), line, kCount, cols, x.data());
      LOWBIT_CHECK_THAT(Same(x, want), std::string(row.name) + " in place");
    }
  });
}

}  // namespace
}  // namespace lowbit::test
