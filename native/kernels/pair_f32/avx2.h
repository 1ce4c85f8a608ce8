#pragma once
#include "kernels/pair_f32/contract.h"
namespace lowbit::kernels::pair_f32 {
extern const Rows kAvx2;
}
