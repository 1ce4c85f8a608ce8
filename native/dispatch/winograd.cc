// The lists of kernels/winograd, best instruction set first, and the cost model that sets them against the
// direct convolution.
#include "dispatch/winograd.h"

#include <algorithm>
#include <cmath>

#include "kernels/winograd/pack.h"
#include "kernels/winograd/scalar.h"
#if LOWBIT_AVX512VNNI
#include "kernels/winograd/avx512vnni.h"
#endif
#if LOWBIT_AVXVNNI
#include "kernels/winograd/avxvnni.h"
#endif
#if LOWBIT_AVX2
#include "kernels/winograd/avx2.h"
#endif

namespace lowbit::dispatch::winograd {
namespace {

using kernels::winograd::Row;
using kernels::winograd::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::winograd::kAvx512Vnni,
#endif
#if LOWBIT_AVXVNNI
    &kernels::winograd::kAvxVnni,
#endif
#if LOWBIT_AVX2
    &kernels::winograd::kAvx2,
#endif
    &kernels::winograd::kScalar,
};

// Measured on one core (Zen 5): multiply-accumulates a cycle, cycles for each piece of other work, all counted
// on what the kernels really do, padding included.
struct Rates {
  cpu::Isa isa;
  double direct, direct_output;  // MACs a cycle; cycles an output
  double multiply;               // MACs a cycle
  double transform;              // cycles a point and channel
  double finish;                 // cycles a point and output channel
  double stream;                 // cycles a byte of weights beyond the second-level cache
};
constexpr Rates kRates[] = {
    {cpu::kAvx512Vnni, 105, 0.5, 58, 0.07, 0.04, 0.05},
    {cpu::kAvxVnni, 55, 0.8, 30, 0.14, 0.09, 0.05},
    {cpu::kAvx2, 26, 0.8, 26, 0.14, 0.09, 0.05},
};
constexpr double kCyclesAMicro = 4000;
constexpr double kCachedBytes = 768 * 1024;

double RoundUp(size_t n, int step) {
  return static_cast<double>((n + static_cast<size_t>(step) - 1) / static_cast<size_t>(step)) * step;
}

// Points of all tiles along an extent.
double PointsAlong(size_t extent, int tile) {
  if (tile == 2) return static_cast<double>((extent + 1) / 2) * 4;
  const size_t rest = extent % 4;
  return static_cast<double>(extent / 4) * 6 + (rest == 0 ? 0 : rest < 3 ? 4 : 6);
}

double Streamed(const Rates& rates, double bytes) { return std::max(0.0, bytes - kCachedBytes) * rates.stream; }

Way Direct(const Shape& shape, const Rates& rates) {
  const double outputs = static_cast<double>(shape.batch * shape.out_h * shape.out_w) *
                         static_cast<double>(shape.outputs);
  const double macs = outputs * 9 * static_cast<double>(shape.channels);
  // Pairs of int16 on AVX2.
  const uint64_t bytes = uint64_t{9} * shape.channels * shape.outputs * (rates.isa == cpu::kAvx2 ? 2 : 1);
  const double cycles = macs / rates.direct + outputs * rates.direct_output +
                        Streamed(rates, static_cast<double>(bytes));
  return {nullptr, cycles / kCyclesAMicro, bytes};
}

Way Winograd(const Shape& shape, const Rates& rates, const Row& row) {
  const double points = PointsAlong(shape.out_h, row.tile) * PointsAlong(shape.out_w, row.tile) *
                        static_cast<double>(shape.batch);
  const double channels = RoundUp(shape.channels, 2), lanes = RoundUp(shape.channels, row.lanes);
  const double outputs = RoundUp(shape.outputs, row.nr);
  const double bytes = static_cast<double>(kernels::winograd::PlaneCount(row.tile)) * channels * outputs * 2;
  const double cycles = points * (channels * outputs / rates.multiply + lanes * rates.transform +
                                  outputs * rates.finish) +
                        Streamed(rates, bytes);
  return {&row, cycles / kCyclesAMicro, static_cast<uint64_t>(bytes)};
}

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

Ways WaysOf(const Shape& shape, cpu::Isa have) {
  Ways ways{{}, 0};
  for (const Rates& rates : kRates) {
    if (!cpu::Has(have, rates.isa)) continue;
    ways.all[ways.count++] = Direct(shape, rates);
    for (const Rows* list : kLists) {
      for (size_t i = 0; i < list->count; ++i) {
        if (list->first[i].needs != rates.isa) continue;
        ways.all[ways.count++] = Winograd(shape, rates, list->first[i]);
      }
    }
    std::sort(ways.all, ways.all + ways.count, [](const Way& a, const Way& b) { return a.micros < b.micros; });
    return ways;
  }
  ways.all[ways.count++] = {nullptr, 0, 0};
  return ways;
}

}  // namespace lowbit::dispatch::winograd
