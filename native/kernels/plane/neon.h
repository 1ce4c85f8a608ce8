#pragma once
#include "kernels/plane/contract.h"
namespace lowbit::kernels::plane {
extern const Rows kNeon;
}
