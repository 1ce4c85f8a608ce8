#pragma once
#include "kernels/gemm_u8/contract.h"
namespace lowbit::kernels::gemm_u8 {
extern const Rows kNeonI8mm;
}
