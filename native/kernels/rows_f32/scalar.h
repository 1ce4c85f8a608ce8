#pragma once
#include "kernels/rows_f32/contract.h"
namespace lowbit::kernels::rows_f32 {
extern const Rows kScalar;
}
