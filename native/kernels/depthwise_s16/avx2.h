#pragma once
#include "kernels/depthwise_s16/contract.h"
namespace lowbit::kernels::depthwise_s16 {
extern const Rows kAvx2;
}
