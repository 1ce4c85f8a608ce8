#pragma once
#include "kernels/gemm/contract.h"
namespace lowbit::kernels::gemm {
extern const Rows kNeon;
}
