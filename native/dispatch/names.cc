// The list of kernel families: one line each, as the families come.
#include "dispatch/names.h"

namespace lowbit::dispatch {
namespace {

// Adds the names of one family's rows that `have` can run.
using AddNames = void (*)(cpu::Isa have, std::vector<const char*>* names);

constexpr AddNames kFamilies[] = {
    nullptr,  // ends the list
};

}  // namespace

std::vector<const char*> KernelNames(cpu::Isa have) {
  std::vector<const char*> names;
  for (const AddNames* add = kFamilies; *add; ++add) (*add)(have, &names);
  return names;
}

}  // namespace lowbit::dispatch
