// Float32 kernels: operations and cheap functions equal the scalar ones, the others lie within their bound;
// rows are summed, shared out and quantised as their contracts say.
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "dispatch/map_f32.h"
#include "dispatch/pair_f32.h"
#include "dispatch/rows_f32.h"
#include "simple_kernels.h"

namespace lowbit::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kEdges[] = {0.0f,      -0.0f,      1.0f,    -1.0f,    0.5f,   -0.5f, 3.0f,
                            -3.0f,     6.0f,       -9.0f,   16.5f,    16.7f,  88.7f, -87.4f,
                            -103.9f,   1e-40f,     3.4e38f, -3.4e38f, 0.625f, 1e-7f, -2.5e-4f,
                            kInfinity, -kInfinity, 127.5f,  2.5f,     -2.5f};

// Numbers of all sizes that matter, edges among them.
void Fill(Guarded<float>* values, Random* random) {
  for (auto& x : *values) {
    const uint32_t kind = random->Next() % 8;
    if (kind == 0) {
      x = kEdges[random->Next() % (sizeof kEdges / sizeof kEdges[0])];
    } else {
      const float size = kind == 1 ? 1e-3f : kind == 2 ? 100.0f : 10.0f;
      x = size * static_cast<float>(random->Between(-1000000, 1000000)) / 1e6f;
    }
  }
}

uint32_t Bits(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

bool Same(float a, float b) { return Bits(a) == Bits(b) || (std::isnan(a) && std::isnan(b)); }

LOWBIT_TEST("pair_f32: every row gives the bits of the scalar one") {
  const auto same = [](const auto& a, const auto& b) { return a.operation == b.operation; };
  ForPairs(dispatch::pair_f32::Lists(), same, [&](const auto& row, const auto& scalar) {
    Random random(1);
    for (size_t count = 0; count < 70; ++count) {
      for (const int steps : {0, 1, 2, 3}) {
        const int a_step = steps & 1, b_step = steps >> 1;
        Guarded<float> a(a_step ? count : 1), b(b_step ? count : 1), got(count), want(count);
        Fill(&a, &random);
        Fill(&b, &random);
        const bool clamps = count % 2;
        const float low = clamps ? -1.0f : -kInfinity, high = clamps ? 6.0f : kInfinity;
        row.run(a.data(), a_step, b.data(), b_step, got.data(), count, low, high);
        scalar.run(a.data(), a_step, b.data(), b_step, want.data(), count, low, high);
        for (size_t i = 0; i < count; ++i) {
          LOWBIT_CHECK_THAT(Same(got[i], want[i]), std::string(row.name) + " count " + std::to_string(count));
        }
        if (!a_step) continue;
        row.run(a.data(), 1, b.data(), b_step, a.data(), count, low, high);
        for (size_t i = 0; i < count; ++i)
          LOWBIT_CHECK_THAT(Same(a[i], want[i]), std::string(row.name) + " in place");
      }
    }
  });
}

// The reference of the cheap functions' own arithmetic, in double.
double Exact(kernels::map_f32::Function function, double x) {
  using kernels::map_f32::Function;
  switch (function) {
    case Function::kLogistic:
      return x < -9 ? std::exp(x) : 1 / (1 + std::exp(-x));
    case Function::kTanh:
      return std::tanh(x);
    case Function::kExp:
      return std::exp(x);
    default:
      return x / (1 + std::exp(-1.5957691216057308 * (x + 0.044715 * x * x * x)));
  }
}

// The bound that kernels/real/functions.h promises. The argument of the GELU's exponential is rounded three
// times before, by 2^-24 of up to 89 each; where the exponential is beyond float32 the result is 0, and less
// than 11 / 3.4e38 is due.
double Bound(kernels::map_f32::Function function, double exact) {
  const double unit = std::fmax(std::fabs(exact) * 1.2e-7, 1.5e-45);
  if (function != kernels::map_f32::Function::kGeluTanh) return 4 * unit;
  return 3 * 89 * unit + 4e-38;
}

LOWBIT_TEST("map_f32: cheap functions give the bits of the scalar ones, the others lie within their bound") {
  const auto same = [](const auto& a, const auto& b) { return a.function == b.function; };
  ForPairs(dispatch::map_f32::Lists(), same, [&](const auto& row, const auto& scalar) {
    Random random(2);
    for (size_t count = 0; count < 300; ++count) {
      Guarded<float> in(count), got(count), want(count);
      Fill(&in, &random);
      row.run(in.data(), got.data(), count, 0.1f);
      scalar.run(in.data(), want.data(), count, 0.1f);
      for (size_t i = 0; i < count; ++i) {
        const std::string what = std::string(row.name) + " of " + std::to_string(in[i]) + " gives " +
                                 std::to_string(got[i]) + ", not " + std::to_string(want[i]);
        if (!IsCostly(row.function) || std::isnan(want[i])) {
          LOWBIT_CHECK_THAT(Same(got[i], want[i]), what);
          continue;
        }
        const double exact = Exact(row.function, in[i]);
        if (!(std::fabs(exact) <= std::numeric_limits<float>::max())) {
          LOWBIT_CHECK_THAT(got[i] == want[i] || std::fabs(got[i]) >= 3.4e38f, what);
          continue;
        }
        LOWBIT_CHECK_THAT(std::fabs(got[i] - exact) <= Bound(row.function, exact), what);
      }
      row.run(in.data(), in.data(), count, 0.1f);
      for (size_t i = 0; i < count; ++i)
        LOWBIT_CHECK_THAT(Same(in[i], got[i]), std::string(row.name) + " in place");
    }
  });
}

constexpr float kSmallestNormal = std::numeric_limits<float>::min();

constexpr size_t kDepths[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 257};

LOWBIT_TEST("rows_f32: sums and softmax lie within their bounds") {
  const auto same = [](const auto&, const auto&) { return true; };
  ForPairs(dispatch::rows_f32::Lists(), same, [&](const auto& row, const auto&) {
    Random random(3);
    for (const size_t depth : kDepths) {
      for (int round = 0; round < 8; ++round) {
        Guarded<float> in(depth), out(depth);
        const float size = round % 2 ? 90.0f : 3.0f;
        for (auto& x : in) x = size * static_cast<float>(random.Between(-1000, 1000)) / 1000;
        double sum = 0, sizes = 0, largest = in[0], powers = 0;
        for (const float x : in) {
          sum += x;
          sizes += std::fabs(x);
          largest = std::fmax(largest, x);
        }
        const double eps = 6e-8;
        LOWBIT_CHECK_THAT(
            std::fabs(row.sum(in.data(), depth) - sum) <= eps * static_cast<double>(depth) * sizes,
            std::string(row.name) + ": sum of " + std::to_string(depth));
        const float beta = round % 3 ? 1.0f : 0.5f;
        for (const float x : in) powers += std::exp(beta * (x - largest));
        row.softmax(in.data(), 1, depth, beta, out.data());
        for (size_t i = 0; i < depth; ++i) {
          const double exponent = beta * (in[i] - largest), want = std::exp(exponent) / powers;
          // Two units of the exponential for each entry, the rounding of its argument, the sum and the quotient.
          const double bound = (static_cast<double>(depth) + 8 + 2 * std::fabs(exponent)) * 2 * eps;
          LOWBIT_CHECK_THAT(std::fabs(out[i] - want) <= bound * want + kSmallestNormal,
                            std::string(row.name) + ": softmax of " + std::to_string(depth));
        }
        row.softmax(in.data(), 1, depth, beta, in.data());
        for (size_t i = 0; i < depth; ++i) LOWBIT_EQUAL(in[i], out[i]);
      }
    }
  });
}

LOWBIT_TEST("rows_f32: softmax of many rows is that of each, and gives zeros far below the largest entry") {
  const auto same = [](const auto&, const auto&) { return true; };
  ForPairs(dispatch::rows_f32::Lists(), same, [&](const auto& row, const auto&) {
    Random random(5);
    for (const size_t depth : kDepths) {
      for (const size_t rows : {size_t{0}, size_t{2}, size_t{8}, size_t{19}}) {
        Guarded<float> in(rows * depth), out(rows * depth), one(depth);
        for (auto& x : in) x = static_cast<float>(random.Between(-1000, 1000)) / 100;
        for (size_t r = 1; r < rows; r += 2) in[r * depth] = r % 4 == 1 ? -1e9f : -kInfinity;
        row.softmax(in.data(), rows, depth, 1.0f, out.data());
        for (size_t r = 0; r < rows; ++r) {
          row.softmax(in.data() + r * depth, 1, depth, 1.0f, one.data());
          for (size_t i = 0; i < depth; ++i) {
            LOWBIT_CHECK_THAT(Same(one[i], out[r * depth + i]), std::string(row.name) + ": rows together");
          }
          if (r % 2 && depth > 1) LOWBIT_EQUAL(out[r * depth], 0.0f);
        }
      }
    }
  });
}

// The same operations with the kernels for each of them, as graphs without the fused one run them.
void NormalizeStepByStep(const kernels::rows_f32::Row& row, cpu::Isa isa, const std::vector<float>& in,
                         const float* gamma, const float* beta, float epsilon, float* out) {
  using kernels::pair_f32::Operation;
  const size_t depth = in.size();
  const auto pair = [&](Operation operation, const float* a, int a_step, const float* b, int b_step,
                        float* to) {
    dispatch::pair_f32::Choose(operation, isa).run(a, a_step, b, b_step, to, depth, -kInfinity, kInfinity);
  };
  std::vector<float> squares(depth), slope(depth), shift(depth);
  const float mean = row.sum(in.data(), depth) / static_cast<float>(depth), away = -mean;
  pair(Operation::kSquaredDifference, in.data(), 1, &mean, 0, squares.data());
  const float r = 1 / std::sqrt(row.sum(squares.data(), depth) / static_cast<float>(depth) + epsilon);
  pair(Operation::kMul, &r, 0, gamma, 1, slope.data());
  pair(Operation::kMul, &away, 0, slope.data(), 1, shift.data());
  if (beta) pair(Operation::kAdd, shift.data(), 1, beta, 1, shift.data());
  pair(Operation::kMul, in.data(), 1, slope.data(), 1, squares.data());
  pair(Operation::kAdd, squares.data(), 1, shift.data(), 1, out);
}

LOWBIT_TEST(
    "rows_f32: layer normalisation gives the bits of its single operations, and lies within its bound") {
  const auto same = [](const auto&, const auto&) { return true; };
  ForPairs(dispatch::rows_f32::Lists(), same, [&](const auto& row, const auto&) {
    Random random(6);
    for (const size_t depth : kDepths) {
      for (const size_t rows : {size_t{1}, size_t{8}, size_t{11}}) {
        for (const bool has_beta : {false, true}) {
          Guarded<float> in(rows * depth), gamma(depth), beta(depth), got(rows * depth), want(depth);
          std::vector<float> line(depth);
          for (auto* values : {&in, &gamma, &beta}) {
            for (auto& x : *values) x = static_cast<float>(random.Between(-1000, 1000)) / 300;
          }
          const kernels::rows_f32::LayerNorm norm = {gamma.data(), has_beta ? beta.data() : nullptr, 1e-3f};
          row.normalize(in.data(), rows, depth, norm, got.data());
          for (size_t m = 0; m < rows; ++m) {
            std::memcpy(line.data(), in.data() + m * depth, depth * sizeof(float));
            NormalizeStepByStep(row, row.needs, line, norm.gamma, norm.beta, norm.epsilon, want.data());
            double mean = 0, variance = 0;
            for (const float x : line) mean += x / static_cast<double>(depth);
            for (const float x : line) variance += (x - mean) * (x - mean) / static_cast<double>(depth);
            for (size_t i = 0; i < depth; ++i) {
              const std::string what = std::string(row.name) + ": depth " + std::to_string(depth);
              LOWBIT_CHECK_THAT(Same(got[m * depth + i], want[i]), what);
              const double slope = gamma[i] / std::sqrt(variance + norm.epsilon);
              const double exact = (line[i] - mean) * slope + (has_beta ? beta[i] : 0);
              // Values up to 10 / 3; sums of `depth` of them, of their squares, and six roundings after.
              const double bound = (static_cast<double>(depth) + 8) * 6e-8 *
                                   (14 * std::fabs(slope) * (1 + 14 / (variance + norm.epsilon)) + 4);
              LOWBIT_CHECK_THAT(std::fabs(got[m * depth + i] - exact) <= bound, what);
            }
          }
          row.normalize(in.data(), rows, depth, norm, in.data());
          for (size_t i = 0; i < rows * depth; ++i) LOWBIT_CHECK_THAT(Same(in[i], got[i]), "in place");
        }
      }
    }
  });
}

LOWBIT_TEST("rows_f32: every row quantises to the codes of the scalar one") {
  const auto same = [](const auto&, const auto&) { return true; };
  ForPairs(dispatch::rows_f32::Lists(), same, [&](const auto& row, const auto& scalar) {
    Random random(4);
    for (const size_t depth : kDepths) {
      for (const size_t rows : {size_t{1}, size_t{3}, size_t{8}, size_t{11}}) {
        for (int round = 0; round < 24; ++round) {
          Guarded<float> in(rows * depth);
          // Ordinary rows, ties, one sign only, zeros, ranges so small that their factor is infinite.
          const float unit = round % 6 == 4 ? 1e-42f : round % 6 == 5 ? 1e30f : 0.037f;
          for (auto& x : in) {
            const int32_t code = random.Between(round % 6 == 2 ? 0 : -127, round % 6 == 3 ? 0 : 127);
            x = round % 12 == 11 ? 0.0f : unit * (static_cast<float>(code) + (round % 6 == 1 ? 0.5f : 0.0f));
          }
          Guarded<int8_t> got(rows * depth), want(rows * depth);
          std::vector<float> scales(2 * rows, -1.0f);
          std::vector<int32_t> zeros(2 * rows, -1);
          const std::string what =
              std::string(row.name) + " depth " + std::to_string(depth) + " round " + std::to_string(round);
          row.quantize_symmetric(in.data(), rows, depth, got.data(), scales.data());
          scalar.quantize_symmetric(in.data(), rows, depth, want.data(), scales.data() + rows);
          LOWBIT_CHECK_THAT(std::memcmp(got.data(), want.data(), rows * depth) == 0, "symmetric " + what);
          for (size_t i = 0; i < rows; ++i) LOWBIT_CHECK_THAT(Same(scales[i], scales[rows + i]), what);
          row.quantize_asymmetric(in.data(), rows, depth, got.data(), scales.data(), zeros.data());
          scalar.quantize_asymmetric(in.data(), rows, depth, want.data(), scales.data() + rows,
                                     zeros.data() + rows);
          LOWBIT_CHECK_THAT(std::memcmp(got.data(), want.data(), rows * depth) == 0, "asymmetric " + what);
          for (size_t i = 0; i < rows; ++i) {
            LOWBIT_CHECK_THAT(Same(scales[i], scales[rows + i]) && zeros[i] == zeros[rows + i], what);
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace lowbit::test
