// Rows of avx2.cc.
#pragma once

#include "kernels/lut/contract.h"

namespace lowbit::kernels::lut {

extern const Rows kAvx2;

}  // namespace lowbit::kernels::lut
