#pragma once
#include "kernels/grid_f32/contract.h"
namespace lowbit::kernels::grid_f32 {
extern const Rows kAvx512Vnni;
}
