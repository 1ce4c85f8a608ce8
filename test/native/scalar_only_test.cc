// Rows that are scalar alone, so that no other is compared with them, against their definition.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "guarded.h"
#include "kernels/affine/scalar.h"
#include "kernels/elementwise/scalar.h"
#include "kernels/map_f32/scalar.h"
#include "kernels/pool/scalar.h"
#include "kernels/resize/scalar.h"
#include "rows.h"

namespace lowbit::test {
namespace {

using testing::Guarded;
using testing::Random;

template <typename Rows, typename Fits>
auto Find(const Rows& rows, const Fits& fits) -> decltype(*rows.first) {
  const auto* row = rows.first;
  while (!fits(*row)) ++row;
  Runs(*row);
  return *row;
}

using kernels::map_f32::Function;
struct Definition {
  Function function;
  double (*of)(double x);
};
const Definition kDefinitions[] = {
    {Function::kLog, [](double x) { return std::log(x); }},
    {Function::kSin, [](double x) { return std::sin(x); }},
    {Function::kCos, [](double x) { return std::cos(x); }},
    {Function::kElu, [](double x) { return x < 0 ? std::expm1(x) : x; }},
    {Function::kGelu, [](double x) { return 0.5 * x * std::erfc(-x * std::sqrt(0.5)); }},
    {Function::kRound, [](double x) { return std::nearbyint(x); }},
    {Function::kSign, [](double x) { return x > 0   ? 1.0
                                            : x < 0 ? -1.0
                                                    : 0.0; }},
};

LOWBIT_TEST("map_f32: scalar functions without another row lie near their definition") {
  for (const Definition& definition : kDefinitions) {
    const auto& row =
        Find(kernels::map_f32::kScalar, [&](const auto& one) { return one.function == definition.function; });
    Guarded<float> in(2001), out(2001);
    for (int i = 0; i < 2001; ++i) in[static_cast<size_t>(i)] = static_cast<float>(i - 1000) / 100;
    row.run(in.data(), out.data(), in.size(), 0);
    for (size_t i = 0; i < in.size(); ++i) {
      const double want = definition.of(in[i]), error = std::fabs(out[i] - want);
      const bool same = std::isfinite(want) ? error <= 4e-7 * std::fmax(1.0, std::fabs(want))
                        : std::isnan(want)  ? std::isnan(out[i])
                                            : out[i] == want;
      LOWBIT_CHECK_THAT(
          same, std::string(row.name) + " of " + std::to_string(in[i]) + " gives " + std::to_string(out[i]));
    }
  }
}

using kernels::pool::Kind;
template <typename T>
void ComparePool(Kind kind, bool is_average, std::string* why) {
  const auto& row = Find(kernels::pool::kScalar, [&](const auto& one) { return one.kind == kind; });
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    const int rows = random.Between(1, 4), cols = random.Between(1, 5), channels = random.Between(1, 9);
    const ptrdiff_t stride = ptrdiff_t{cols + 2} * channels;
    Guarded<T> image(static_cast<size_t>((rows - 1) * stride + ptrdiff_t{cols} * channels));
    for (auto& x : image) x = static_cast<T>(random.Between(-32768, 32767));
    const kernels::pool::Limits limits{-20000, 25000, -20000.0f, 25000.0f};
    Guarded<T> out(static_cast<size_t>(channels));
    row.run({image.data(), stride, rows, cols, channels}, limits, out.data());
    for (int c = 0; c < channels; ++c) {
      double sum = 0, most = -32768;
      for (int y = 0; y < rows; ++y) {
        for (int x = 0; x < cols; ++x) {
          const double tap = image[static_cast<size_t>(y * stride + ptrdiff_t{x} * channels + c)];
          sum += tap;
          most = std::fmax(most, tap);
        }
      }
      double want = is_average ? sum / (rows * cols) : most;
      if (std::numeric_limits<T>::is_integer) want = std::round(want);
      want = std::fmin(std::fmax(want, -20000.0), 25000.0);
      const double bound = std::numeric_limits<T>::is_integer ? 0 : 0.01;
      LOWBIT_CHECK_THAT(std::fabs(out[static_cast<size_t>(c)] - want) <= bound,
                        std::string(row.name) + ": round " + std::to_string(round));
    }
  }
}

LOWBIT_TEST("pool: int16 and float32 are averages and maxima") {
  ComparePool<int16_t>(Kind::kAverageS16, true, why);
  if (why->empty()) ComparePool<int16_t>(Kind::kMaxS16, false, why);
  if (why->empty()) ComparePool<float>(Kind::kAverageF32, true, why);
  if (why->empty()) ComparePool<float>(Kind::kMaxF32, false, why);
}

LOWBIT_TEST("affine: int16 codes round halves away from zero, and come back") {
  using kernels::affine::Kind;
  const auto row = [](Kind kind) -> const kernels::affine::Row& {
    return Find(kernels::affine::kScalar, [&](const auto& one) { return one.kind == kind; });
  };
  const kernels::affine::Params params{0.25f, 3, -32768, 32767};
  const float reals[] = {0, 0.125f, -0.125f, 0.124f, 1, -1, 1e9f, -1e9f, INFINITY, -INFINITY, NAN};
  const int16_t codes[] = {3, 4, 2, 3, 7, -1, 32767, -32768, 32767, -32768, 3};
  constexpr size_t kCount = sizeof codes / sizeof codes[0];
  Guarded<float> in(kCount), back(kCount);
  Guarded<int16_t> out(kCount);
  for (size_t i = 0; i < kCount; ++i) in[i] = reals[i];
  row(Kind::kQuantizeS16).run(params, in.data(), out.data(), kCount);
  row(Kind::kDequantizeS16).run(params, out.data(), back.data(), kCount);
  for (size_t i = 0; i < kCount; ++i) {
    LOWBIT_EQUAL(out[i], codes[i]);
    LOWBIT_EQUAL(back[i], 0.25f * static_cast<float>(codes[i] - 3));
  }
}

LOWBIT_TEST("resize: int16 mixes round halves away from zero") {
  const auto& row =
      Find(kernels::resize::kScalar, [](const auto& one) { return one.kind == kernels::resize::Kind::kS16; });
  Random random(4);
  const size_t first[] = {0, 1}, second[] = {1, 1};
  for (int round = 0; round < 2000; ++round) {
    Guarded<int16_t> top(2), bottom(2), out(2);
    for (auto* line : {&top, &bottom}) {
      for (auto& x : *line) {
        x = static_cast<int16_t>(round % 4 ? random.Between(-3, 3) : random.Between(-32768, 32767));
      }
    }
    const int32_t y = random.Between(0, 4) * 256, weights[] = {random.Between(0, 4) * 256, 512};
    row.run({top.data(), bottom.data(), first, second, weights, 0, y, 2, 1}, out.data());
    for (size_t i = 0; i < 2; ++i) {
      const double down = y / 1024.0, right = weights[i] / 1024.0;
      const double above = top[first[i]] * (1 - right) + top[second[i]] * right;
      const double below = bottom[first[i]] * (1 - right) + bottom[second[i]] * right;
      LOWBIT_EQUAL(out[i], static_cast<int16_t>(std::round(above * (1 - down) + below * down)));
    }
  }
}

LOWBIT_TEST("elementwise: squared differences of all pairs of bytes") {
  using kernels::elementwise::Kind;
  const auto& row = Find(kernels::elementwise::kScalar,
                         [](const auto& one) { return one.kind == Kind::kSquaredDifferenceS8; });
  // Factors of a half after a shift by 7, and 2^-12: the square itself.
  kernels::elementwise::Params params{};
  params.left_shift = 7;
  params.a_zero = -5;
  params.b_zero = 11;
  params.a = params.b = {1 << 30, 0};
  params.output = {1 << 30, -11};
  params.b_sign = -1;
  params.zero_point = -100;
  params.low = -110;
  params.high = 120;
  for (int a = -128; a < 128; ++a) {
    Guarded<int8_t> left(1), right(256), out(256);
    left[0] = static_cast<int8_t>(a);
    for (int b = 0; b < 256; ++b) right[static_cast<size_t>(b)] = static_cast<int8_t>(b - 128);
    row.run(params, left.data(), 0, right.data(), 1, out.data(), 256);
    for (int b = -128; b < 128; ++b) {
      const int difference = (a + 5) - (b - 11), want = difference * difference - 100;
      LOWBIT_EQUAL(out[static_cast<size_t>(b + 128)], static_cast<int8_t>(want > 120 ? 120 : want));
    }
  }
}

}  // namespace
}  // namespace lowbit::test
