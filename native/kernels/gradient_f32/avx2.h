#pragma once
#include "kernels/gradient_f32/contract.h"
namespace lowbit::kernels::gradient_f32 {
extern const Rows kAvx2;
}
