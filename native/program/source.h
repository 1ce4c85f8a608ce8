// A program's bytes while it is loaded, and what is read from them with its bounds checked.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "base/aligned_buffer.h"
#include "base/span.h"
#include "base/status.h"
#include "program/format.h"
#include "program/load.h"
#include "program/step.h"

namespace lowbit::program {

inline std::string Text(uint64_t number) { return std::to_string(number); }

// The program's bytes, aligned, and its sections once their bounds are known to be right.
struct Source {
  AlignedBuffer bytes;
  Header header;

  template <typename Record>
  Record At(const Section& section, uint64_t index) const {
    Record record;
    std::memcpy(&record, bytes.data() + section.offset + index * sizeof(Record), sizeof record);
    return record;
  }
};

// Copies the program and checks its header and the bounds of its sections.
Status OpenSource(Span<const uint8_t> bytes, Source* source);

class Variables;

// Tensor `index`, its size and its place checked.
Status ReadTensor(const Source& source, Span<const Span<const uint8_t>> constants, const Variables& variables,
                  uint32_t index, const LoadOptions& options, Tensor* tensor);

}  // namespace lowbit::program
