// Rows of scalar.cc.
#pragma once

#include "kernels/affine/contract.h"

namespace lowbit::kernels::affine {

extern const Rows kScalar;

}  // namespace lowbit::kernels::affine
