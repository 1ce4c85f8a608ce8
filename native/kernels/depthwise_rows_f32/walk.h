// The walk along rows for any width of vectors. For inclusion by the files of instruction sets, which give
// `Vector`: its Type, kLanes, Load and Store (of the first `some` lanes for Part), Broadcast, Add, MultiplyAdd
// and Clamp.
//
// A column of the input is read once and added to the sums of all outputs it lies under: filter x filter
// weights, the sums and one value are all that is alive.
#pragma once

#include "kernels/depthwise_rows_f32/contract.h"

namespace lowbit::kernels::depthwise_rows_f32 {
namespace {

template <typename Vector, int kFilter, int kStride>
void Walk(const Call& call, size_t start, const Vector& vector) {
  using Type = typename Vector::Type;
  constexpr int kSums = (kFilter - 1) / kStride + 1;  // outputs that a column lies under
  const size_t in_w = call.in_w, out_w = call.out_w, pitch = call.channels;  // stores may not reload them
  Type weights[kFilter * kFilter];
#pragma GCC unroll 25
  for (int t = 0; t < kFilter * kFilter; ++t) {
    weights[t] = vector.Load(call.weights + static_cast<size_t>(t) * pitch + start);
  }
  const Type bias = vector.Load(call.bias + start);
  const Type low = Vector::Broadcast(call.low), high = Vector::Broadcast(call.high);
  for (size_t y = 0; y < call.count; ++y) {
    const float* rows[kFilter];
#pragma GCC unroll 8
    for (int ky = 0; ky < kFilter; ++ky) rows[ky] = call.rows[y * kFilter + static_cast<size_t>(ky)] + start;
    Type sums[kSums];  // of the next output and those after it
#pragma GCC unroll 8
    for (int i = 0; i < kSums; ++i) sums[i] = Vector::Broadcast(0.0f);
    ptrdiff_t ix = -call.pad_left;
    const auto add = [&](int last) {  // column ix, which the next output has at `last`
      if (static_cast<size_t>(ix) < in_w) {
#pragma GCC unroll 8
        for (int ky = 0; ky < kFilter; ++ky) {
          const Type value = vector.Load(rows[ky] + static_cast<size_t>(ix) * pitch);
#pragma GCC unroll 8
          for (int i = 0; i < kSums; ++i) {
            const int kx = last - i * kStride;
            if (kx >= 0) sums[i] = Vector::MultiplyAdd(value, weights[ky * kFilter + kx], sums[i]);
          }
        }
      }
      ++ix;
    };
#pragma GCC unroll 8
    for (int kx = 0; kx < kFilter - kStride; ++kx) add(kx);
    float* out = call.out + y * out_w * pitch + start;
    for (size_t x = 0; x < out_w; ++x, out += pitch) {
#pragma GCC unroll 8
      for (int kx = kFilter - kStride; kx < kFilter; ++kx) add(kx);
      vector.Store(out, Vector::Clamp(Vector::Add(sums[0], bias), low, high));
#pragma GCC unroll 8
      for (int i = 0; i + 1 < kSums; ++i) sums[i] = sums[i + 1];
      sums[kSums - 1] = Vector::Broadcast(0.0f);
    }
  }
}

// The last block covers the last channels (it overlaps its neighbour); fewer than a block are taken by parts.
template <typename Whole, typename Part, int kFilter, int kStride>
void Run(const Call& call) noexcept {
  constexpr size_t kLanes = Whole::kLanes;
  if (call.channels < kLanes) return Walk<Part, kFilter, kStride>(call, 0, Part(call.channels));
  for (size_t start = 0; start < call.channels; start += kLanes) {
    const size_t last = call.channels - kLanes;
    Walk<Whole, kFilter, kStride>(call, start < last ? start : last, Whole());
  }
}

}  // namespace
}  // namespace lowbit::kernels::depthwise_rows_f32
