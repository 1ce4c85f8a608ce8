// One element of a bilinear mix, for all instruction sets.
//
// Source: TFLite kernels/internal/reference/resize_bilinear.h (ResizeBilinear, ResizeBilinearInteger).
#pragma once

#include <stdint.h>

namespace lowbit::kernels::resize {

// a b / c d: the four neighbours; y, x: shares of the lower and the right ones. Not to be fused or reordered.
static inline float MixReal(float a, float b, float c, float d, float y, float x) {
  return a * (1 - y) * (1 - x) + c * y * (1 - x) + b * (1 - y) * x + d * y * x;
}

static inline float Mix(float a, float b, float c, float d, float y, float x) {
  return MixReal(a, b, c, d, y, x);
}

static inline uint8_t Mix(uint8_t a, uint8_t b, uint8_t c, uint8_t d, float y, float x) {
  const float mixed = MixReal(a, b, c, d, y, x) + 0.5f;
  return static_cast<uint8_t>(mixed < 0.0f ? 0.0f : mixed > 255.0f ? 255.0f : mixed);
}

template <typename T>
static inline T Mix(T a, T b, T c, T d, int32_t y, int32_t x) {
  const int64_t mixed = int64_t{a} * (1024 - y) * (1024 - x) + int64_t{c} * y * (1024 - x) +
                        int64_t{b} * (1024 - y) * x + int64_t{d} * y * x;
  return static_cast<T>((mixed + (mixed > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
}

}  // namespace lowbit::kernels::resize
