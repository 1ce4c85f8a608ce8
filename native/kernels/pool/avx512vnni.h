// Rows of avx512vnni.cc.
#pragma once

#include "kernels/pool/contract.h"

namespace lowbit::kernels::pool {

extern const Rows kAvx512Vnni;

}  // namespace lowbit::kernels::pool
