// Rows of scalar.cc.
#pragma once

#include "kernels/sum/contract.h"

namespace lowbit::kernels::sum {

extern const Rows kScalar;

}  // namespace lowbit::kernels::sum
