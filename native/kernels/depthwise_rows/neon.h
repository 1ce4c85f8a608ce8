#pragma once
#include "kernels/depthwise_rows/contract.h"
namespace lowbit::kernels::depthwise_rows {
extern const Rows kNeon;
}
