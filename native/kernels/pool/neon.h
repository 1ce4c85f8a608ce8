#pragma once
#include "kernels/pool/contract.h"
namespace lowbit::kernels::pool {
extern const Rows kNeon;
}
