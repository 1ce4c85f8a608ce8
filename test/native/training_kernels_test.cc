// Kernels that only training has: sums of outer products lie within their bound, gradients give the bits of the scalar
// ones.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "dispatch/gradient_f32.h"
#include "dispatch/outer_f32.h"
#include "guarded.h"
#include "rows.h"

namespace lowbit::test {
namespace {

using testing::Guarded;
using testing::Random;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kEdges[] = {0.0f,   -0.0f, 1.0f,   -1.0f,     6.0f,       6.0000005f,
                            1e-40f, 3e38f, -3e38f, kInfinity, -kInfinity, kNan};

float Edge(Random* random) { return kEdges[random->Next() % (sizeof kEdges / sizeof kEdges[0])]; }
float Real(Random* random) { return static_cast<float>(random->Between(-1000, 1000)) / 256.0f; }

bool SameBits(float a, float b) {
  uint32_t bits_a, bits_b;
  std::memcpy(&bits_a, &a, sizeof a);
  std::memcpy(&bits_b, &b, sizeof b);
  return bits_a == bits_b || (std::isnan(a) && std::isnan(b));
}

struct OuterCase {
  size_t rows, cols, lines, depth;
  size_t lhs_step() const { return rows + 3; }
  size_t rhs_step() const { return cols + 1; }
  size_t lhs_line() const { return depth * lhs_step() + 5; }
  size_t rhs_line() const { return depth * rhs_step(); }
  size_t out_stride() const { return cols + 2; }
  // Elements up to the last one that the call reads or writes.
  size_t lhs_count() const { return depth ? (lines - 1) * lhs_line() + (depth - 1) * lhs_step() + rows : 0; }
  size_t rhs_count() const { return depth ? (lines - 1) * rhs_line() + (depth - 1) * rhs_step() + cols : 0; }
  size_t out_count() const { return (rows - 1) * out_stride() + cols; }
};

// Runs `row` on numbers of `fill`, and calls check(m, n, got, before) with what each output was and has become.
template <typename Fill, typename Check>
void RunOuter(const kernels::outer_f32::Row& row, const OuterCase& c, const Fill& fill, const Check& check) {
  Guarded<float> lhs(c.lhs_count()), rhs(c.rhs_count()), out(c.out_count());
  for (float& x : lhs) x = fill();
  for (float& x : rhs) x = fill();
  for (float& x : out) x = fill();
  const std::vector<float> before(out.begin(), out.end());
  const auto signed_of = [](size_t value) { return static_cast<ptrdiff_t>(value); };
  row.run({lhs.data(), rhs.data(), signed_of(c.lhs_line()), signed_of(c.lhs_step()), signed_of(c.rhs_line()),
           signed_of(c.rhs_step()), c.lines, c.depth, out.data(), signed_of(c.out_stride()), c.rows, c.cols});
  check(lhs, rhs, before, out);
}

LOWBIT_TEST("outer_f32: every row lies within the bound of its contract, and writes nothing else") {
  uint32_t seed = 0;
  for (const kernels::outer_f32::Rows* list : dispatch::outer_f32::Lists()) {
    for (size_t r = 0; r < list->count; ++r) {
      const kernels::outer_f32::Row& row = list->first[r];
      if (!Runs(row)) continue;
      const size_t mr = static_cast<size_t>(row.mr), nr = static_cast<size_t>(row.nr);
      for (const size_t rows : {size_t{1}, size_t{2}, size_t{3}, size_t{5}, size_t{7}, mr, 2 * mr + 1}) {
        for (const size_t cols : {size_t{1}, nr / 2 + 1, nr - nr / 4, nr, nr + 1, 2 * nr + 5}) {
          for (const size_t depth : {size_t{0}, size_t{1}, size_t{2}, size_t{33}}) {
            Random random(++seed);
            const OuterCase c{rows, cols, 1 + seed % 3, depth};
            const auto fill = [&] {
              return seed % 5 ? Real(&random) : Real(&random) * (seed % 2 ? 1e15f : 1e-15f);
            };
            RunOuter(row, c, fill,
                     [&](Guarded<float>& lhs, Guarded<float>& rhs, const std::vector<float>& before,
                         Guarded<float>& out) {
                       for (size_t i = 0; i < out.size(); ++i) {
                         const size_t m = i / c.out_stride(), n = i % c.out_stride();
                         double sum = before[i], size = std::fabs(sum);
                         for (size_t l = 0; l < c.lines && n < cols; ++l) {
                           for (size_t k = 0; k < depth; ++k) {
                             const double product = double{lhs[l * c.lhs_line() + k * c.lhs_step() + m]} *
                                                    rhs[l * c.rhs_line() + k * c.rhs_step() + n];
                             sum += product;
                             size += std::fabs(product);
                           }
                         }
                         // Products below the smallest number are lost.
                         const double bound =
                             static_cast<double>(c.lines * depth + 1) * (5.97e-8 * size + 1e-45);
                         const bool is_apart = n >= cols || depth == 0;
                         LOWBIT_CHECK_THAT(
                             is_apart ? SameBits(out[i], before[i]) : std::fabs(out[i] - sum) <= bound,
                             std::string(row.name) + " seed " + std::to_string(seed));
                       }
                     });
            if (!why->empty()) return;
          }
        }
      }
    }
  }
}

LOWBIT_TEST("outer_f32: infinities and NaN stay in their row and column") {
  for (const kernels::outer_f32::Rows* list : dispatch::outer_f32::Lists()) {
    for (size_t r = 0; r < list->count; ++r) {
      const kernels::outer_f32::Row& row = list->first[r];
      if (!Runs(row)) continue;
      const OuterCase c{static_cast<size_t>(row.mr) + 2, static_cast<size_t>(row.nr) + 3, 1, 4};
      for (const float special : {kInfinity, -kInfinity, kNan}) {
        for (const size_t at : {size_t{0}, c.rows - 1}) {
          size_t filled = 0;
          const size_t place = 2 * c.lhs_step() + at;
          const auto fill = [&] { return filled++ == place ? special : 0.5f; };
          RunOuter(row, c, fill,
                   [&](Guarded<float>&, Guarded<float>&, const std::vector<float>&, Guarded<float>& out) {
                     for (size_t i = 0; i < out.size(); ++i) {
                       const bool is_hit = i / c.out_stride() == at && i % c.out_stride() < c.cols;
                       const float want = is_hit ? special : i % c.out_stride() < c.cols ? 1.5f : 0.5f;
                       LOWBIT_CHECK_THAT(SameBits(out[i], want), row.name);
                     }
                   });
          if (!why->empty()) return;
        }
      }
    }
  }
}

// Calls compare(row, scalar row) for every row that this processor runs; both names count as tested.
template <typename Compare>
void ForGradients(const Compare& compare) {
  const auto lists = dispatch::gradient_f32::Lists();
  const kernels::gradient_f32::Row& scalar = lists[lists.size - 1]->first[0];
  for (const kernels::gradient_f32::Rows* list : lists) {
    for (size_t r = 0; r < list->count; ++r) {
      const kernels::gradient_f32::Row& row = list->first[r];
      if (!cpu::Has(cpu::Detect(), row.needs)) continue;
      RowsThatRan().insert({row.clamp_name, row.max_pool_name});
      compare(row, scalar);
    }
  }
}

LOWBIT_TEST("gradient_f32: a clamp's is dy between its ends, to the bit") {
  ForGradients([&](const auto& row, const auto&) {
    Random random(1);
    for (size_t count = 0; count < 70; ++count) {
      for (const float high : {6.0f, kInfinity}) {
        Guarded<float> x(count), dy(count), dx(count);
        for (float& value : x) value = random.Next() % 2 ? Edge(&random) : 3 * Real(&random);
        for (float& value : dy) value = random.Next() % 2 ? Edge(&random) : Real(&random);
        row.clamp(x.data(), dy.data(), dx.data(), count, 0.0f, high);
        for (size_t i = 0; i < count; ++i) {
          const float want = x[i] > 0 && x[i] <= high ? dy[i] : 0.0f;
          LOWBIT_CHECK_THAT(SameBits(dx[i], want),
                            std::string(row.clamp_name) + " count " + std::to_string(count));
        }
        row.clamp(x.data(), dy.data(), dy.data(), count, 0.0f, high);
        for (size_t i = 0; i < count; ++i)
          LOWBIT_CHECK_THAT(SameBits(dx[i], dy[i]), std::string(row.clamp_name) + " in place");
      }
    }
  });
}

// What one window of an image gives, by the definition.
void MaxPoolOf(const kernels::gradient_f32::Window& w) {
  const auto at = [&](int row, int col, size_t c) {
    return row * w.row_stride + static_cast<ptrdiff_t>(static_cast<size_t>(col) * w.channels + c);
  };
  for (size_t c = 0; c < w.channels; ++c) {
    ptrdiff_t best = -1;
    for (int row = 0; row < w.rows; ++row) {
      for (int col = 0; col < w.cols; ++col) {
        const float x = w.x[at(row, col, c)];
        if (best < 0 ? x > -kInfinity : x > w.x[best]) best = at(row, col, c);
      }
    }
    for (int row = 0; row < w.rows; ++row) {
      for (int col = 0; col < w.cols; ++col) {
        const float part = at(row, col, c) == best ? w.dy[c] : 0.0f;
        float& to = w.dx[at(row, col, c)];
        to = w.adds ? to + part : part;
      }
    }
  }
}

LOWBIT_TEST("gradient_f32: a maximum's goes to the first of the largest, to the bit") {
  ForGradients([&](const auto& row, const auto&) {
    Random random(2);
    for (size_t channels = 1; channels < 40; ++channels) {
      for (const int shape : {0, 1, 2, 3, 4}) {
        kernels::gradient_f32::Window w{};
        w.rows = 1 + shape % 3;
        w.cols = 1 + shape / 2;
        w.adds = random.Next() % 2;
        w.channels = channels;
        w.row_stride = static_cast<ptrdiff_t>((static_cast<size_t>(w.cols) + 1) * channels);
        const size_t count =
            static_cast<size_t>((w.rows - 1) * w.row_stride) + static_cast<size_t>(w.cols) * channels;
        Guarded<float> x(count), dy(channels), got(count), want(count);
        const bool has_edges = random.Next() % 2;
        for (float& value : x) value = has_edges ? Edge(&random) : static_cast<float>(random.Between(-3, 3));
        for (float& value : dy) value = Real(&random);
        for (size_t i = 0; i < count; ++i) got[i] = want[i] = Real(&random);
        w.x = x.data();
        w.dy = dy.data();
        w.dx = got.data();
        row.max_pool(w);
        w.dx = want.data();
        MaxPoolOf(w);
        for (size_t i = 0; i < count; ++i) {
          LOWBIT_CHECK_THAT(SameBits(got[i], want[i]),
                            std::string(row.max_pool_name) + " channels " + std::to_string(channels));
        }
      }
    }
  });
}

}  // namespace
}  // namespace lowbit::test
