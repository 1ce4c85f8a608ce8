// Laws of the functions of fixed-point numbers; that steps equal the reference is for the tests of operators.
#include "program/steps/fixed_functions.h"

#include <cmath>
#include <cstdint>

#include "check.h"

namespace lowbit::program::steps {
namespace {

LOWBIT_TEST("fixed functions: the exponential is near the real one and falls") {
  int32_t last = INT32_MAX;
  for (int i = 0; i <= 4096; ++i) {
    const int32_t a = -i * (1 << 14), raw = ExpOfNegative(a);
    LOWBIT_CHECK(raw <= last);
    LOWBIT_CHECK(std::fabs(std::ldexp(raw, -31) - std::exp(std::ldexp(a, -26))) < std::ldexp(1.0, -22));
    last = raw;
  }
}

}  // namespace
}  // namespace lowbit::program::steps
