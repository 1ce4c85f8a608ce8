// What this processor offers. Facts of the process; nothing here reads the environment.
#pragma once

#include <cstddef>

#include "cpu/isa.h"

namespace lowbit::cpu {

struct Level {
  const char* name;  // as LOWBIT_ISA spells it
  Isa adds;          // the bit that the level stands for; 0 for scalar
};

// All levels of this build's processor family, weakest first ("scalar" is always the first).
struct Levels {
  const Level* first;
  size_t count;
};
Levels AllLevels();

// The names of all levels of all processor families: what LOWBIT_ISA may say.
struct Names {
  const char* const* first;
  size_t count;
};
Names AllNames();

// The bits that processor, operating system and this build have together.
Isa Detect();

// The set of `have` capped at `level` (a name of any processor family): levels above it fall away, levels
// that the processor lacks are skipped. False when the name is unknown.
bool Cap(const char* level, Isa have, Isa* capped);

// The strongest level's name in a set.
const char* NameOf(Isa have);

struct Caches {
  size_t l1, l2, l3;  // bytes of data cache that one core can use; 0 where unknown
};
Caches DetectCaches();

}  // namespace lowbit::cpu
