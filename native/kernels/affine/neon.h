#pragma once
#include "kernels/affine/contract.h"
namespace lowbit::kernels::affine {
extern const Rows kNeon;
}
