#pragma once
#include "kernels/gemv/contract.h"
namespace lowbit::kernels::gemv {
extern const Rows kAvx512Vnni;
}
