// Which steps get larger packed weights first, where there is a budget for them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "program/step.h"

namespace lowbit::program {

struct Wanting {
  uint32_t index;
  Wish wish;
};

inline uint64_t Less(uint64_t a, uint64_t b) { return a - std::min(a, b); }

// Puts those first that gain most for a byte; gives what all of them take at least.
inline uint64_t InOrderOfWorth(std::vector<Wanting>* steps) {
  const auto worth = [](const Wanting& step) {
    const double bytes = static_cast<double>(step.wish.bytes) - static_cast<double>(step.wish.least_bytes);
    return step.wish.gain / std::max(bytes, 1.0);
  };
  std::stable_sort(steps->begin(), steps->end(),
                   [&](const Wanting& a, const Wanting& b) { return worth(a) > worth(b); });
  uint64_t least = 0;
  for (const Wanting& step : *steps) least += step.wish.least_bytes;
  return least;
}

}  // namespace lowbit::program
