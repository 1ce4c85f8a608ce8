// The names of all kernels of this build, for `kernels()` of the binding.
#pragma once

#include <vector>

#include "cpu/isa.h"

namespace lowbit::dispatch {

// Those that a processor with `have` can run, family by family, best first.
std::vector<const char*> KernelNames(cpu::Isa have);

}  // namespace lowbit::dispatch
