#pragma once
#include "kernels/depthwise_rows_f32/contract.h"
namespace lowbit::kernels::depthwise_rows_f32 {
extern const Rows kAvx512Vnni;
}
