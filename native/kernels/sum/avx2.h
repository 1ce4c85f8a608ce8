// Rows of avx2.cc.
#pragma once

#include "kernels/sum/contract.h"

namespace lowbit::kernels::sum {

extern const Rows kAvx2;

}  // namespace lowbit::kernels::sum
