#pragma once
#include "kernels/update_f32/contract.h"
namespace lowbit::kernels::update_f32 {
extern const Rows kAvx512Vnni;
}
