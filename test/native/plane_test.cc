// Planes: every kernel equals the scalar one, and a plane that is found equals its function for all pairs.
#include "dispatch/plane.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "check.h"
#include "dispatch/elementwise.h"
#include "guarded.h"
#include "kernels/plane/find.h"
#include "kernels/plane/scalar.h"
#include "rows.h"

namespace lowbit::test {
namespace {

using kernels::plane::kPairs;
using kernels::plane::Plane;
using testing::Guarded;
using testing::Random;

template <typename Visit>
void EachRow(const Visit& visit) {
  for (const kernels::plane::Rows* list : dispatch::plane::Lists()) {
    for (size_t i = 0; i < list->count; ++i) {
      if (Runs(list->first[i])) visit(list->first[i]);
    }
  }
}

LOWBIT_TEST("plane: every row equals the scalar one, at the ends of all constants") {
  Random random(1);
  EachRow([&](const kernels::plane::Row& row) {
    for (int round = 0; round < 400; ++round) {
      const bool ends = round % 4 == 0;
      const int shift = random.Between(1, 15);
      const auto low_part = [&] { return static_cast<int16_t>(ends ? 32767 : random.Between(0, 32767)); };
      const auto high_part = [&] {
        const int most = std::min(1 << 14, 1 << (5 + shift)) - 1;  // slopes below 32
        return static_cast<int16_t>(ends ? (random.Next() % 2 ? -most - 1 : most)
                                         : random.Between(-most - 1, most));
      };
      const int32_t low = random.Between(-128, 127);
      const Plane plane = {high_part(),
                           high_part(),
                           low_part(),
                           low_part(),
                           ends ? (1 << (15 + shift)) - 1 : random.Between(0, (1 << (15 + shift)) - 1),
                           ends ? (random.Next() % 2 ? -8191 : 8191) : random.Between(-8191, 8191),
                           shift,
                           low,
                           random.Between(low, 127),
                           static_cast<uint8_t>(round % 2 ? 0x80 : 0)};
      const size_t count = static_cast<size_t>(random.Between(1, 300));
      Guarded<uint8_t> a(count), b(count), out(count);
      for (size_t i = 0; i < count; ++i) {
        a[i] = static_cast<uint8_t>(ends ? (random.Next() % 2 ? 127 : 128) : random.Next());
        b[i] = static_cast<uint8_t>(ends ? (random.Next() % 2 ? 127 : 128) : random.Next());
      }
      std::vector<uint8_t> want(count);
      LOWBIT_CHECK(Runs(kernels::plane::kScalar.first[0]));
      kernels::plane::kScalar.first[0].run(plane, a.data(), b.data(), want.data(), count);
      row.run(plane, a.data(), b.data(), out.data(), count);
      for (size_t i = 0; i < count; ++i)
        LOWBIT_CHECK_THAT(out[i] == want[i], std::string(row.name) + " round " + std::to_string(round));
    }
  });
}

// The codes that the scalar kernel of elementwise gives for all pairs.
std::vector<int8_t> CodesOf(const kernels::elementwise::Params& params) {
  std::vector<uint8_t> a(kPairs), b(kPairs);
  for (size_t i = 0; i < kPairs; ++i) {
    a[i] = static_cast<uint8_t>(i / 256 + 128);
    b[i] = static_cast<uint8_t>(i % 256 + 128);
  }
  std::vector<int8_t> codes(kPairs);
  dispatch::elementwise::Choose(kernels::elementwise::Kind::kAddS8, false, cpu::kScalar)
      .run(params, a.data(), 1, b.data(), 1, codes.data(), kPairs);
  return codes;
}

LOWBIT_TEST("plane: what is found equals ADD for all pairs, what is not has ties") {
  Random random(9);
  int found = 0;
  constexpr int kRounds = 60;
  for (int round = 0; round < kRounds; ++round) {
    // Factors as ADD has them: of the smaller scale over twice the larger, one half, and the result's.
    const bool ties = round % 6 == 5;  // equal scales: sums of two halves
    const double small = ties ? 0.5 : random.Between(1, 1 << 29) / 1073741824.0;
    const double result = ties ? 1.0 / (1 << 20) : std::ldexp(random.Between(1 << 20, 1 << 24), -24 - 19);
    const auto factor = [](double real) {
      int exponent;
      const double mantissa = std::frexp(real, &exponent);
      const int64_t multiplier = std::llround(std::ldexp(mantissa, 31));
      return multiplier == int64_t{1} << 31
                 ? kernels::elementwise::Factor{1 << 30, exponent + 1}
                 : kernels::elementwise::Factor{static_cast<int32_t>(multiplier), exponent};
    };
    const int32_t low = round % 3 ? -128 : random.Between(-128, 0);
    const kernels::elementwise::Params params = {20,
                                                 random.Between(-128, 127),
                                                 random.Between(-128, 127),
                                                 factor(small),
                                                 factor(0.5),
                                                 factor(result),
                                                 round % 2 ? 1 : -1,
                                                 random.Between(-128, 127),
                                                 low,
                                                 127};
    const std::vector<int8_t> codes = CodesOf(params);
    const double unit = std::ldexp(result, 20);
    Plane plane{};
    if (!kernels::plane::Find(small * unit, params.b_sign * 0.5 * unit, codes, low, 127, &plane)) continue;
    ++found;
    LOWBIT_CHECK(plane.shift >= 1 && plane.shift <= 15 && plane.rest >= 0);
    std::vector<uint8_t> a(kPairs), b(kPairs), out(kPairs);
    for (size_t i = 0; i < kPairs; ++i) {
      a[i] = static_cast<uint8_t>(i / 256 + 128);
      b[i] = static_cast<uint8_t>(i % 256 + 128);
    }
    EachRow([&](const kernels::plane::Row& row) {
      row.run(plane, a.data(), b.data(), out.data(), kPairs);
      for (size_t i = 0; i < kPairs; ++i)
        LOWBIT_CHECK_THAT(static_cast<int8_t>(out[i]) == codes[i],
                          std::string(row.name) + " round " + std::to_string(round));
    });
  }
  LOWBIT_CHECK_THAT(found > kRounds / 3, std::to_string(found) + " planes found");
}

// A function that no plane is: one code of another.
LOWBIT_TEST("plane: none is found where one pair differs") {
  std::vector<int8_t> codes(kPairs);
  for (size_t i = 0; i < kPairs; ++i) {
    const int sum = (static_cast<int>(i / 256) - 128 + static_cast<int>(i % 256) - 128) / 4;
    codes[i] = static_cast<int8_t>(sum);
  }
  codes[100 * 256 + 100] = 77;
  Plane plane{};
  LOWBIT_CHECK(!kernels::plane::Find(0.25, 0.25, codes, -128, 127, &plane));
}

}  // namespace
}  // namespace lowbit::test
