#pragma once
#include "kernels/resize/contract.h"
namespace lowbit::kernels::resize {
extern const Rows kAvx2;
}
