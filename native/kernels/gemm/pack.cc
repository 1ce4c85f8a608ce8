// Packs weights into panels.
#include "kernels/gemm/pack.h"

#include <algorithm>
#include <cstring>
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

// Whether the stored bytes are the weights, in order of depth.
bool AreStored(const WeightView& weights) {
  return !weights.is_unsigned && weights.zero_point == 0 && weights.depth_stride == 1;
}

// The same panels of stored bytes, which are copied kr at a time. A cache line of each channel is used up before the
// next one, and what is written meanwhile stays in the first-level cache.
template <size_t kr>
void FillStored(size_t nr, const WeightView& weights, size_t channels, const Runs& runs, uint8_t* out) {
  constexpr size_t kLine = 64;
  const size_t run = runs.PaddedDepth(kr), step = nr * kr;
  for (size_t first = 0; first < channels; first += nr) {
    const size_t count = std::min(nr, channels - first);
    const uint8_t* codes = weights.codes + first * weights.channel_stride;
    for (size_t r = 0; r < runs.count; ++r, codes += runs.depth, out += run * nr) {
      const size_t whole = runs.depth / kr * kr;
      for (size_t line = 0; line < whole; line += kLine) {
        const size_t end = std::min(whole, line + kLine);
        for (size_t c = 0; c < count; ++c) {
          const uint8_t* from = codes + c * weights.channel_stride;
          uint8_t* to = out + line * nr + c * kr;
          for (size_t k = line; k < end; k += kr, to += step) std::memcpy(to, from + k, kr);
        }
      }
      for (size_t c = 0; whole < run && c < count; ++c) {  // the last places of a run, the rest of them 0
        uint8_t* to = out + whole * nr + c * kr;
        std::memset(to, 0, kr);
        std::memcpy(to, codes + c * weights.channel_stride + whole, runs.depth - whole);
      }
      for (size_t k = 0; count < nr && k < run; k += kr)
        std::memset(out + k * nr + count * kr, 0, (nr - count) * kr);
    }
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

template <size_t kr>
void FillBytes(size_t nr, const WeightView& weights, size_t channels, const Runs& runs, uint8_t* out) {
  if (AreStored(weights)) {
    FillStored<kr>(nr, weights, channels, runs, out);
  } else {
    Fill<int8_t, kr>(nr, weights, channels, runs, reinterpret_cast<int8_t*>(out));
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

bool IsAbove(const WeightView& weights, size_t n, size_t depth, int32_t least, int16_t* line) {
  if (AreStored(weights) && least == -127)
    return depth == 0 || !std::memchr(weights.codes + n * weights.channel_stride, 0x80, depth);
  ReadChannel(weights, n, depth, line);
  return std::none_of(line, line + depth, [&](int16_t w) { return w < least || w > 127; });
}

ChannelSums SumChannel(const WeightView& weights, size_t n, size_t depth, int16_t* line) {
  ReadChannel(weights, n, depth, line);
  ChannelSums sums{0, 0};
  constexpr size_t kShortSum = 128;  // of at most 255 each: in 16 bits, so that many are added at once
  for (size_t from = 0; from < depth; from += kShortSum) {
    const size_t end = std::min(depth, from + kShortSum);
    int16_t sum = 0, size = 0;
    for (size_t k = from; k < end; ++k) {
      sum = static_cast<int16_t>(sum + line[k]);
      size = static_cast<int16_t>(size + (line[k] < 0 ? -line[k] : line[k]));
    }
    sums.sum += sum;
    sums.size += size;
  }
  return sums;
}

void PackPanels(size_t nr, size_t kr, size_t weight_bytes, const WeightView& weights, size_t channels,
                const Runs& runs, uint8_t* packed) {
  if (weight_bytes == 2) {
    Fill<int16_t, 2>(nr, weights, channels, runs, reinterpret_cast<int16_t*>(packed));
  } else if (kr == 2) {
    FillBytes<2>(nr, weights, channels, runs, packed);
  } else if (kr == 8) {
    FillBytes<8>(nr, weights, channels, runs, packed);
  } else {
    FillBytes<4>(nr, weights, channels, runs, packed);
  }
}

}  // namespace lowbit::kernels::gemm
