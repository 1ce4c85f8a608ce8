// The lists of kernels/winograd, best instruction set first, and the cost model that sets them against the
// direct convolution.
#include "dispatch/winograd.h"

#include <algorithm>
#include <cmath>

#include "kernels/requantize/pack.h"
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

// Measured on one core (Zen 5), all counted on what the kernels really do, padding included.
struct Rates {
  cpu::Isa isa;
  // The direct convolution: multiply-accumulates a cycle, cycles an output, channels of a panel, bytes a weight.
  double direct, direct_output;
  int direct_nr, direct_bytes;
  double multiply;   // multiply-accumulates a cycle
  double transform;  // cycles a point and input channel
  double finish;     // cycles a point and output channel
};
constexpr Rates kRates[] = {
    {cpu::kAvx512Vnni, 122, 0.26, 16, 1, 58, 0.15, 0.25},
    {cpu::kAvxVnni, 60, 0.42, 8, 1, 30, 0.19, 0.47},
    {cpu::kAvx2, 26, 0.5, 8, 2, 25, 0.19, 0.47},
};
// What a byte of weights costs that comes from beyond the second-level cache, fetched ahead.
constexpr double kStreamCycles = 0.03;
// Constants of an output channel, which every way keeps.
constexpr double kChannelBytes = kernels::PackedChannels::kEntryBytes;
constexpr double kCyclesAMicro = 4000;
constexpr double kStartCycles = 1500;  // what a short layer takes beyond that
constexpr double kCachedBytes = 768 * 1024;

double RoundUp(size_t n, int step) {
  const size_t whole = static_cast<size_t>(step), rounded = (n + whole - 1) / whole * whole;
  return static_cast<double>(rounded);
}

// Points of all tiles along an extent.
double PointsAlong(size_t extent, int tile) {
  if (tile == 2) return 2 * RoundUp(extent, 2);
  const size_t rest = extent % 4, last = rest == 0 ? 0 : rest < 3 ? 4 : 6;
  return 1.5 * static_cast<double>(extent - rest) + static_cast<double>(last);
}

double Streamed(double bytes) { return std::max(0.0, bytes - kCachedBytes) * kStreamCycles; }

Way Direct(const Shape& shape, const Rates& rates) {
  const double pixels = static_cast<double>(shape.batch) * static_cast<double>(shape.out_h * shape.out_w);
  const double outputs = RoundUp(shape.outputs, rates.direct_nr);
  const double weights = 9 * static_cast<double>(shape.channels) * outputs;
  const double bytes = weights * rates.direct_bytes;
  const double cycles = pixels * (weights / rates.direct + outputs * rates.direct_output) + Streamed(bytes);
  return {nullptr, cycles / kCyclesAMicro, static_cast<uint64_t>(bytes + outputs * kChannelBytes)};
}

Way Winograd(const Shape& shape, const Rates& rates, const Row& row) {
  const double points = PointsAlong(shape.out_h, row.tile) * PointsAlong(shape.out_w, row.tile) *
                        static_cast<double>(shape.batch);
  const double channels = RoundUp(shape.channels, 2), lanes = RoundUp(shape.channels, row.lanes);
  const double outputs = RoundUp(shape.outputs, row.nr);
  const double bytes = static_cast<double>(kernels::winograd::PlaneCount(row.tile)) * channels * outputs * 2;
  const double cycles =
      kStartCycles +
      points * (channels * outputs / rates.multiply + lanes * rates.transform + outputs * rates.finish) +
      Streamed(bytes);
  const double kept = bytes + outputs * kChannelBytes + static_cast<double>(shape.channels);
  return {&row, cycles / kCyclesAMicro, static_cast<uint64_t>(kept)};
}

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

Ways WaysOf(const Shape& shape, cpu::Isa have) {
  Ways ways{{}, 0};
  for (const Rates& rates : kRates) {
    if (!cpu::Has(have, rates.isa)) continue;
    if (ways.count == 0) {
      const Rates& direct = shape.has_byte_weights ? rates : kRates[sizeof kRates / sizeof kRates[0] - 1];
      ways.all[ways.count++] = Direct(shape, direct);
    }
    // Narrower instruction sets, too: they waste less on few channels.
    for (const Rows* list : kLists) {
      for (size_t i = 0; i < list->count; ++i) {
        if (list->first[i].needs == rates.isa)
          ways.all[ways.count++] = Winograd(shape, rates, list->first[i]);
      }
    }
  }
  if (ways.count == 0) ways.all[ways.count++] = {nullptr, 0, 0};
  std::sort(ways.all, ways.all + ways.count, [](const Way& a, const Way& b) { return a.micros < b.micros; });
  return ways;
}

}  // namespace lowbit::dispatch::winograd
