#pragma once
#include "kernels/outer_f32/contract.h"
namespace lowbit::kernels::outer_f32 {
extern const Rows kAvx2;
}
