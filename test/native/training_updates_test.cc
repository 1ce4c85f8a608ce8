// Kernels of training: steps of optimisers, fake quantisation with its gradients, and scaled columns give the bits of
// the scalar ones, sums of columns lie within the bound of their roundings.
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

// The same numbers, zeros by their sign; a NaN is any.
bool SameOrNan(Guarded<float>& a, Guarded<float>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    const bool same = a[i] == b[i] && std::signbit(a[i]) == std::signbit(b[i]);
    if (!same && !(std::isnan(a[i]) && std::isnan(b[i]))) return false;
  }
  return a.size() == b.size();
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

constexpr size_t kColumns[] = {1, 3, 8, 15, 16, 17, 33, 64, 65, 100, 131};
constexpr size_t kRows[] = {1, 2, 127, 128, 129, 300};

// Numbers at and around the ends and halves of a grid of step 1/4 from -7 to 8, in some places of every column.
void PutEdges(Guarded<float>* x, size_t cols) {
  const float edges[] = {-0.0f,   0.0f,        0.125f,   -0.125f,   0.1249999f, -0.375f, 2.0f,
                         2.0001f, -1.7500001f, INFINITY, -INFINITY, 1e-40f,     -1e38f,  NAN};
  constexpr size_t kCount = sizeof edges / sizeof edges[0];
  for (size_t i = cols % 3; i < x->size(); i += 3) (*x)[i] = edges[i / 3 % kCount];
}

// A grid for each column.
struct Grids {
  Guarded<float> step, least, most;
  explicit Grids(size_t cols) : step(cols), least(cols), most(cols) {
    for (size_t c = 0; c < cols; ++c) {
      step[c] = 0.25f * static_cast<float>(1 + c % 3);
      least[c] = -7.0f - static_cast<float>(c % 2);
      most[c] = 8.0f + static_cast<float>(c % 5);
    }
  }
  kernels::grid_f32::Grid Of() { return {step.data(), least.data(), most.data()}; }
};

LOWBIT_TEST("grid_f32: every row lays on grids and ranges to the bits of the scalar one") {
  const auto any = [](const auto&, const auto&) { return true; };
  ForPairs(dispatch::grid_f32::Lists(), any, [&](const auto& row, const auto& scalar) {
    Random random(5);
    for (const size_t cols : kColumns) {
      for (const size_t rows : kRows) {
        Guarded<float> x(rows * cols), got(rows * cols), want(rows * cols);
        Fill(&x, &random);
        Grids grids(cols);
        const std::string where =
            std::string(row.name) + " " + std::to_string(rows) + "x" + std::to_string(cols);
        for (const bool has_edges : {false, true}) {
          if (has_edges) PutEdges(&x, cols);
          row.quantize(x.data(), grids.Of(), rows, cols, got.data());
          scalar.quantize(x.data(), grids.Of(), rows, cols, want.data());
          LOWBIT_CHECK_THAT(SameOrNan(got, want), where);
          Guarded<float> least(cols), most(cols), scalar_least(cols), scalar_most(cols);
          for (auto* ends : {&least, &most, &scalar_least, &scalar_most})
            for (size_t c = 0; c < cols; ++c) (*ends)[c] = c % 4 == 3 ? NAN : static_cast<float>(c % 3);
          row.range(x.data(), rows, cols, least.data(), most.data());
          scalar.range(x.data(), rows, cols, scalar_least.data(), scalar_most.data());
          LOWBIT_CHECK_THAT(SameOrNan(least, scalar_least) && SameOrNan(most, scalar_most), where + " range");
        }
      }
    }
  });
}

LOWBIT_TEST(
    "grid_f32: every row's gradients are the bits of the scalar one, with none, one and two effects") {
  const auto any = [](const auto&, const auto&) { return true; };
  ForPairs(dispatch::grid_f32::Lists(), any, [&](const auto& row, const auto& scalar) {
    Random random(6);
    for (const size_t cols : kColumns) {
      for (const size_t rows : kRows) {
        for (int count = 0; count <= kernels::grid_f32::kMostEffects; ++count) {
          const kernels::grid_f32::Effects effects = {count, {{-7.5f, 8.25f, 1.0f}, {1.0f, 0.5f, 0.0f}}};
          Guarded<float> x(rows * cols), dy(rows * cols), got(rows * cols), want(rows * cols);
          for (auto* values : {&x, &dy}) Fill(values, &random);
          if (rows % 2) PutEdges(&x, cols);
          Grids grids(cols);
          Guarded<float> sums(2 * cols), scalar_sums(2 * cols);
          for (auto* both : {&sums, &scalar_sums})
            for (auto& value : *both) value = 1;  // what was there stays
          float* const to[] = {sums.data(), sums.data() + cols};
          float* const scalar_to[] = {scalar_sums.data(), scalar_sums.data() + cols};
          row.gradient(x.data(), dy.data(), grids.Of(), effects, rows, cols, got.data(), to);
          scalar.gradient(x.data(), dy.data(), grids.Of(), effects, rows, cols, want.data(), scalar_to);
          const std::string where = std::string(row.name) + " " + std::to_string(rows) + "x" +
                                    std::to_string(cols) + " effects " + std::to_string(count);
          LOWBIT_CHECK_THAT(Same(got, want), where);
          LOWBIT_CHECK_THAT(SameOrNan(sums, scalar_sums), where + " sums");
        }
      }
    }
  });
}

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
