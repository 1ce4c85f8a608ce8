#pragma once
#include "kernels/winograd/contract.h"
namespace lowbit::kernels::winograd {
extern const Rows kAvxVnni;
}
