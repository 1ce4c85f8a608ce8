// Rows of avx2.cc.
#pragma once

#include "kernels/elementwise/contract.h"

namespace lowbit::kernels::elementwise {

extern const Rows kAvx2;

}  // namespace lowbit::kernels::elementwise
