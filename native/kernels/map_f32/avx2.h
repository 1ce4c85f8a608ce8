#pragma once
#include "kernels/map_f32/contract.h"
namespace lowbit::kernels::map_f32 {
extern const Rows kAvx2;
}
