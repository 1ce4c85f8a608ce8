// Bytes of a program of one grouped convolution, for tests of what loading takes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "program/format.h"
#include "program/step.h"

namespace lowbit::test {

struct ProgramBytes {
  std::vector<uint8_t> bytes, constant;
};

// Input [1, 1, 1, groups x depth] int8, weights [groups, 1, 1, depth], output [1, 1, 1, groups]. Without groups all
// are empty.
inline ProgramBytes GroupedConvolution(int32_t groups, int32_t depth = 2) {
  using namespace program;
  const uint64_t outputs = static_cast<uint64_t>(groups), inputs = static_cast<uint64_t>(depth) * outputs;
  const uint64_t at = (inputs + 63) / 64 * 64;
  const int32_t batch = groups > 0 ? 1 : 0, values = depth * std::max(groups, 1);
  const TensorRecord tensors[3] = {
      {Dtype::kInt8, Where::kArena, 0, 4, {batch, 1, 1, values}, 0, inputs},
      {Dtype::kInt8, Where::kConstant, 0, 4, {groups, 1, 1, depth}, 0, inputs},
      {Dtype::kInt8, Where::kArena, 0, 4, {batch, 1, 1, groups}, at, outputs},
  };
  const int32_t operands[3] = {0, 1, 2}, in = 0, out = 2;
  const Span<const StepKind> kinds = StepKinds();
  uint32_t kind = 0;
  while (kind < kinds.size && std::string(kinds[kind].name) != "conv") ++kind;
  const std::vector<int32_t> multiplier(outputs, 1 << 30), shift(outputs, -1);
  const std::vector<std::pair<std::string, std::vector<int32_t>>> attributes = {
      {"strideH", {1}},        {"strideW", {1}},         {"dilationH", {1}},       {"dilationW", {1}},
      {"padTop", {0}},         {"padLeft", {0}},         {"low", {-128}},          {"high", {127}},
      {"inputZeroPoint", {0}}, {"weightZeroPoint", {0}}, {"outputZeroPoint", {0}}, {"multiplier", multiplier},
      {"shift", shift},
  };
  ProgramBytes built;
  std::vector<uint8_t>& bytes = built.bytes;
  bytes.resize(sizeof(Header));
  const auto put = [&bytes](const void* data, size_t size) {
    const size_t place = bytes.size();
    bytes.resize((place + size + 7) / 8 * 8);
    if (size) std::memcpy(bytes.data() + place, data, size);
    return static_cast<uint32_t>(place);
  };
  Header header{};
  header.magic = kMagic;
  header.version = kVersion;
  header.arena_bytes = at + (outputs + 63) / 64 * 64;
  const StepRecord step{kind, 0, 2, 1, 0, static_cast<uint32_t>(attributes.size())};
  header.tensors = {put(tensors, sizeof tensors), 3};
  header.operands = {put(operands, sizeof operands), 3};
  header.steps = {put(&step, sizeof step), 1};
  header.main_count = 1;
  header.inputs = {put(&in, sizeof in), 1};
  header.outputs = {put(&out, sizeof out), 1};
  std::vector<AttributeRecord> records;
  for (const auto& [name, values] : attributes) {
    const uint32_t place = put(name.data(), name.size());
    records.push_back({place, static_cast<uint32_t>(name.size()), Kind::kInt32,
                       static_cast<uint32_t>(values.size()), put(values.data(), values.size() * 4)});
  }
  header.attributes = {put(records.data(), records.size() * sizeof records[0]),
                       static_cast<uint32_t>(records.size())};
  header.total_bytes = bytes.size();
  std::memcpy(bytes.data(), &header, sizeof header);
  built.constant.assign(inputs, 1);
  return built;
}

}  // namespace lowbit::test
