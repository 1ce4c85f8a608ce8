// Rows of avx2.cc.
#pragma once

#include "kernels/pool/contract.h"

namespace lowbit::kernels::pool {

extern const Rows kAvx2;

}  // namespace lowbit::kernels::pool
