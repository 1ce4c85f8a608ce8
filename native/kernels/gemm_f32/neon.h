#pragma once
#include "kernels/gemm_f32/contract.h"
namespace lowbit::kernels::gemm_f32 {
extern const Rows kNeon;
}
