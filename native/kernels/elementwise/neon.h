#pragma once
#include "kernels/elementwise/contract.h"
namespace lowbit::kernels::elementwise {
extern const Rows kNeon;
}
