// Packs weights into panels.
#include "kernels/gemm/pack.h"

#include <algorithm>
#include <vector>

namespace lowbit::kernels::gemm {

namespace {

template <typename Code>
void ReadAs(const WeightView& weights, size_t n, size_t depth, int16_t* out) {
  const Code* codes = reinterpret_cast<const Code*>(weights.codes) + n * weights.channel_stride;
  const int32_t zero_point = weights.zero_point;
  if (weights.depth_stride == 1) {  // a loop of its own, so that it is vectorised
    for (size_t k = 0; k < depth; ++k) out[k] = static_cast<int16_t>(codes[k] - zero_point);
  } else {
    for (size_t k = 0; k < depth; ++k)
      out[k] = static_cast<int16_t>(codes[k * weights.depth_stride] - zero_point);
  }
}

// Panel by panel: its channels side by side first, so that the panel is written from front to back.
template <typename T, size_t kr>
void Fill(size_t nr, const WeightView& weights, size_t channels, const Runs& runs, T* out) {
  const size_t run = runs.PaddedDepth(kr), padded = runs.count * run;
  std::vector<int16_t> lines(nr * padded, 0), line(runs.count * runs.depth);
  for (size_t first = 0; first < channels; first += nr) {
    for (size_t c = 0; c < nr; ++c) {
      int16_t* padded_line = lines.data() + c * padded;
      if (first + c >= channels) {
        std::fill(padded_line, padded_line + padded, int16_t{0});
        continue;
      }
      ReadChannel(weights, first + c, line.size(), line.data());
      for (size_t r = 0; r < runs.count; ++r) {
        std::copy_n(line.data() + r * runs.depth, runs.depth, padded_line + r * run);
      }
    }
    for (size_t k = 0; k < padded; k += kr) {
      const int16_t* from = lines.data() + k;
      for (size_t c = 0; c < nr; ++c, from += padded, out += kr) {
        for (size_t i = 0; i < kr; ++i) out[i] = static_cast<T>(from[i]);
      }
    }
  }
}

}  // namespace

void ReadChannel(const WeightView& weights, size_t n, size_t depth, int16_t* out) {
  if (weights.is_unsigned) {
    ReadAs<uint8_t>(weights, n, depth, out);
  } else {
    ReadAs<int8_t>(weights, n, depth, out);
  }
}

void PackPanels(size_t nr, size_t kr, size_t weight_bytes, const WeightView& weights, size_t channels,
                const Runs& runs, uint8_t* packed) {
  if (weight_bytes == 2) {
    Fill<int16_t, 2>(nr, weights, channels, runs, reinterpret_cast<int16_t*>(packed));
  } else if (kr == 2) {
    Fill<int8_t, 2>(nr, weights, channels, runs, reinterpret_cast<int8_t*>(packed));
  } else if (kr == 8) {
    Fill<int8_t, 8>(nr, weights, channels, runs, reinterpret_cast<int8_t*>(packed));
  } else {
    Fill<int8_t, 4>(nr, weights, channels, runs, reinterpret_cast<int8_t*>(packed));
  }
}

}  // namespace lowbit::kernels::gemm
