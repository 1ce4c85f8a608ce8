// Bilinear resizing, one element at a time.
#include "kernels/resize/scalar.h"

#include "kernels/resize/mix.h"

namespace lowbit::kernels::resize {
namespace {

inline float ShareOfRow(const Line& line, float) { return line.row_weight; }
inline int32_t ShareOfRow(const Line& line, int32_t) { return line.row_weight_1024; }

template <typename T, typename Weight>
void Bilinear(const Line& line, void* out) {
  const T* top = static_cast<const T*>(line.top);
  const T* bottom = static_cast<const T*>(line.bottom);
  const Weight* weights = static_cast<const Weight*>(line.column_weights);
  T* to = static_cast<T*>(out);
  const Weight y = ShareOfRow(line, Weight{});
  for (size_t x = 0; x < line.width; ++x) {
    const size_t left = line.first[x] * line.channels, right = line.second[x] * line.channels;
    for (size_t c = 0; c < line.channels; ++c) {
      *to++ = Mix(top[left + c], top[right + c], bottom[left + c], bottom[right + c], y, weights[x]);
    }
  }
}

constexpr Row kList[] = {
    {"resize.bilinear.f32.scalar", cpu::kScalar, Kind::kF32, Bilinear<float, float>},
    {"resize.bilinear.u8.scalar", cpu::kScalar, Kind::kU8, Bilinear<uint8_t, float>},
    {"resize.bilinear.s8.scalar", cpu::kScalar, Kind::kS8, Bilinear<int8_t, int32_t>},
    {"resize.bilinear.s16.scalar", cpu::kScalar, Kind::kS16, Bilinear<int16_t, int32_t>},
};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::resize
