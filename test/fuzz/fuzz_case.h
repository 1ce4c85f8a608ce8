// A case of the program fuzzer: how its file falls into a program and constant blocks.
//
//   u32 program_bytes, block_count; u32 block_bytes[block_count]; the program; the blocks
//
// Sizes that do not fit are cut, so that nearly every file is a case.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/span.h"
#include "program/format.h"

namespace lowbit::fuzz {

constexpr uint32_t kMostBlocks = 64;

struct Case {
  Span<const uint8_t> program;
  std::vector<Span<const uint8_t>> blocks;
  program::Header header{};  // zeros where the program is shorter

  // A record of a section that lies in the program; zeros where it does not.
  template <typename T>
  T Record(const program::Section& section, uint64_t index) const {
    T record{};
    const uint64_t at = section.offset + index * sizeof(T);
    if (at + sizeof(T) <= program.size) std::memcpy(&record, program.data + at, sizeof(T));
    return record;
  }
};

// False when there is not even a head.
inline bool Split(Span<const uint8_t> bytes, Case* one) {
  uint32_t head[2];
  if (bytes.size < sizeof head) return false;
  std::memcpy(head, bytes.data, sizeof head);
  const uint32_t count = std::min(head[1], kMostBlocks);
  size_t at = sizeof head + count * sizeof(uint32_t);
  if (bytes.size < at) return false;
  const auto cut = [&](uint32_t size) {
    const size_t fits = std::min<size_t>(size, bytes.size - at);
    at += fits;
    return Span<const uint8_t>{bytes.data + at - fits, fits};
  };
  one->program = cut(head[0]);
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t size;
    std::memcpy(&size, bytes.data + sizeof head + i * sizeof size, sizeof size);
    one->blocks.push_back(cut(size));
  }
  if (one->program.size >= sizeof one->header)
    std::memcpy(&one->header, one->program.data, sizeof one->header);
  return true;
}

}  // namespace lowbit::fuzz
