// Pooling, one channel at a time.
//
// Source: TFLite kernels/internal/reference/pooling.h and integer_ops/pooling.h.
#include "kernels/pool/scalar.h"

namespace lowbit::kernels::pool {
namespace {

// Bound: 2^22 taps of at most 2^15 reach 2^37: sums are 64 bits wide.
template <typename T>
void Average(const Window& window, const Limits& limits, void* out) {
  const int64_t count = int64_t{window.rows} * window.cols;
  for (int c = 0; c < window.channels; ++c) {
    int64_t sum = 0;
    for (int y = 0; y < window.rows; ++y) {
      const T* tap = static_cast<const T*>(window.first) + y * window.row_stride + c;
      for (int x = 0; x < window.cols; ++x) sum += tap[ptrdiff_t{x} * window.channels];
    }
    int64_t mean = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
    if (mean < limits.low) mean = limits.low;
    if (mean > limits.high) mean = limits.high;
    static_cast<T*>(out)[c] = static_cast<T>(mean);
  }
}

template <typename T>
void Max(const Window& window, const Limits& limits, void* out) {
  for (int c = 0; c < window.channels; ++c) {
    int best = limits.low;
    for (int y = 0; y < window.rows; ++y) {
      const T* tap = static_cast<const T*>(window.first) + y * window.row_stride + c;
      for (int x = 0; x < window.cols; ++x) {
        const int value = tap[ptrdiff_t{x} * window.channels];
        if (value > best) best = value;
      }
    }
    static_cast<T*>(out)[c] = static_cast<T>(best < limits.high ? best : limits.high);
  }
}

// Sums run in the order of the taps, as the reference's do.
void AverageF32(const Window& window, const Limits& limits, void* out) {
  const float count = static_cast<float>(int64_t{window.rows} * window.cols);
  for (int c = 0; c < window.channels; ++c) {
    float sum = 0;
    for (int y = 0; y < window.rows; ++y) {
      const float* tap = static_cast<const float*>(window.first) + y * window.row_stride + c;
      for (int x = 0; x < window.cols; ++x) sum += tap[ptrdiff_t{x} * window.channels];
    }
    float mean = sum / count;
    if (mean < limits.float_low) mean = limits.float_low;
    if (mean > limits.float_high) mean = limits.float_high;
    static_cast<float*>(out)[c] = mean;
  }
}

void MaxF32(const Window& window, const Limits& limits, void* out) {
  for (int c = 0; c < window.channels; ++c) {
    float best = limits.float_low;
    for (int y = 0; y < window.rows; ++y) {
      const float* tap = static_cast<const float*>(window.first) + y * window.row_stride + c;
      for (int x = 0; x < window.cols; ++x) {
        const float value = tap[ptrdiff_t{x} * window.channels];
        if (value > best) best = value;
      }
    }
    static_cast<float*>(out)[c] = best < limits.float_high ? best : limits.float_high;
  }
}

constexpr Row kList[] = {
    {"pool.average.s8.scalar", cpu::kScalar, Kind::kAverageS8, Average<int8_t>},
    {"pool.average.u8.scalar", cpu::kScalar, Kind::kAverageU8, Average<uint8_t>},
    {"pool.average.s16.scalar", cpu::kScalar, Kind::kAverageS16, Average<int16_t>},
    {"pool.average.f32.scalar", cpu::kScalar, Kind::kAverageF32, AverageF32},
    {"pool.max.s8.scalar", cpu::kScalar, Kind::kMaxS8, Max<int8_t>},
    {"pool.max.u8.scalar", cpu::kScalar, Kind::kMaxU8, Max<uint8_t>},
    {"pool.max.s16.scalar", cpu::kScalar, Kind::kMaxS16, Max<int16_t>},
    {"pool.max.f32.scalar", cpu::kScalar, Kind::kMaxF32, MaxF32},
};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::pool
