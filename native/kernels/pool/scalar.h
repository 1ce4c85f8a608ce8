// Rows of scalar.cc.
#pragma once

#include "kernels/pool/contract.h"

namespace lowbit::kernels::pool {

extern const Rows kScalar;

}  // namespace lowbit::kernels::pool
