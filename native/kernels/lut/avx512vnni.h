// Rows of avx512vnni.cc.
#pragma once

#include "kernels/lut/contract.h"

namespace lowbit::kernels::lut {

extern const Rows kAvx512Vnni;

}  // namespace lowbit::kernels::lut
