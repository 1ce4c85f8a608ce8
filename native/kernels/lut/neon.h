#pragma once
#include "kernels/lut/contract.h"
namespace lowbit::kernels::lut {
extern const Rows kNeon;
}
