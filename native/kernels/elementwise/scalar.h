// Rows of scalar.cc.
#pragma once

#include "kernels/elementwise/contract.h"

namespace lowbit::kernels::elementwise {

extern const Rows kScalar;

}  // namespace lowbit::kernels::elementwise
