// Rows of scalar.cc.
#pragma once

#include "kernels/lut/contract.h"

namespace lowbit::kernels::lut {

extern const Rows kScalar;

}  // namespace lowbit::kernels::lut
