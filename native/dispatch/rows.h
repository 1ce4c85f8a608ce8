// What the choices of all families share.
#pragma once

#include <cstddef>

#include "cpu/isa.h"

namespace lowbit::dispatch {

// The first row of `lists` (best ISA first) that this machine has and that `fits`, or null.
template <typename Lists, typename Fits>
auto FirstRow(const Lists& lists, cpu::Isa have, const Fits& fits) -> decltype((*lists.begin())->first) {
  for (const auto* list : lists) {
    for (size_t i = 0; i < list->count; ++i) {
      const auto& row = list->first[i];
      if (cpu::Has(have, row.needs) && fits(row)) return &row;
    }
  }
  return nullptr;
}

// Where every row does the same.
template <typename Lists>
auto FirstRow(const Lists& lists, cpu::Isa have) {
  return FirstRow(lists, have, [](const auto&) { return true; });
}

// Columns of whole panels of `nr` for so many channels.
inline size_t Padded(int nr, size_t channels) {
  const size_t step = static_cast<size_t>(nr);
  return (channels + step - 1) / step * step;
}

// Whether panels of `nr` channels take more than four times the bytes of int8 weights.
inline bool GrowsTooMuch(int nr, size_t weight_bytes, size_t channels) {
  constexpr size_t kMostGrowth = 4;
  return Padded(nr, channels) * weight_bytes > kMostGrowth * channels;
}

// What a layer of so many channels costs by panels of `nr`, where `widest` is the instruction set's widest:
// narrow panels multiply a little slower, wide ones pad more channels.
inline size_t PanelCost(int nr, int widest, size_t channels) {
  const size_t step = static_cast<size_t>(nr), padded = (channels + step - 1) / step * step;
  return padded * (nr < widest ? 9 : 8);
}

}  // namespace lowbit::dispatch
