#pragma once
#include "kernels/gemm_s16/contract.h"
namespace lowbit::kernels::gemm_s16 {
extern const Rows kAvx2;
}
