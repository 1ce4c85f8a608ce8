// Finds the plane that equals a function of two bytes for all 65536 pairs.
#pragma once

#include <vector>

#include "kernels/plane/contract.h"

namespace lowbit::kernels::plane {

constexpr size_t kPairs = 256 * 256;

// codes[(a + 128) * 256 + b + 128] is the function's result for the codes a and b (as int8, unflipped), nearly
// slope_a * a + slope_b * b + a constant, held to [low, high]. False where no plane of these slopes gives all
// of them.
bool Find(double slope_a, double slope_b, const std::vector<int8_t>& codes, int32_t low, int32_t high,
          Plane* plane);

}  // namespace lowbit::kernels::plane
