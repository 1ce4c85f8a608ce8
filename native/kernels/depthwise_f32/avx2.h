#pragma once
#include "kernels/depthwise_f32/contract.h"
namespace lowbit::kernels::depthwise_f32 {
extern const Rows kAvx2;
}
