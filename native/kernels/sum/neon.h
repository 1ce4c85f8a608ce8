#pragma once
#include "kernels/sum/contract.h"
namespace lowbit::kernels::sum {
extern const Rows kNeon;
}
