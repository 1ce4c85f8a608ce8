// Rows of avx2.cc.
#pragma once

#include "kernels/affine/contract.h"

namespace lowbit::kernels::affine {

extern const Rows kAvx2;

}  // namespace lowbit::kernels::affine
