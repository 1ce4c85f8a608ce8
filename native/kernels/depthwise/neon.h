#pragma once
#include "kernels/depthwise/contract.h"
namespace lowbit::kernels::depthwise {
extern const Rows kNeon;
}
