// Turns program bytes (format.h) and blocks of constants into a Program, checking everything on the way.
#pragma once

#include <cstdint>
#include <memory>

#include "base/span.h"
#include "base/status.h"
#include "cpu/isa.h"
#include "program/run.h"

namespace lowbit::program {

struct LoadOptions {
  int threads = 1;              // the most that work on one run
  cpu::Isa isa = cpu::kScalar;  // what kernels may use
  // Bytes: kept constants, packed weights, arena and scratch of one run.
  uint64_t memory_limit = uint64_t{1} << 32;
  // Bytes of kept constants and packed weights up to which steps may take packed weights that are larger and
  // faster than need be. Those that gain most for a byte come first.
  uint64_t weight_budget = 0;
  // Numbers that name the constant blocks in all programs of a model, one a block, 0 for no name; or empty.
  Span<const double> identities;
  // Steps and passes of loops that one run may take.
  uint64_t step_limit = uint64_t{1} << 24;
  // What the programs of a model share; null for what is this program's own.
  std::shared_ptr<Weights> weights;
  std::shared_ptr<State> state;
};

// The bytes are read as a stranger's file and only during the call.
Status Load(Span<const uint8_t> bytes, Span<const Span<const uint8_t>> constants, const LoadOptions& options,
            std::shared_ptr<Program>* program);

}  // namespace lowbit::program
