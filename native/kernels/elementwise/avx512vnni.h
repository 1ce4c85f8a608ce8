// Rows of avx512vnni.cc.
#pragma once

#include "kernels/elementwise/contract.h"

namespace lowbit::kernels::elementwise {

extern const Rows kAvx512Vnni;

}  // namespace lowbit::kernels::elementwise
