#pragma once
#include "kernels/columns_f32/contract.h"
namespace lowbit::kernels::columns_f32 {
extern const Rows kScalar;
}
