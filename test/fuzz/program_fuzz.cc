// libFuzzer target: programs as strangers would write them are loaded and run, on the plainest and on the
// best kernels of this machine. Beyond what the sanitizers see, integer outputs must be the same on both.
//
// A case is a file of three parts: CaseHeader and the sizes of the constant blocks; the program; the blocks.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "cpu/detect.h"
#include "fuzz_case.h"
#include "program/format.h"
#include "program/load.h"
#include "program/step.h"

namespace lowbit::fuzz {
namespace {

using program::Dtype;

constexpr uint64_t kMemory = 64 << 10;  // small, so that no program runs for long
constexpr uint32_t kMostSteps = 64;
constexpr uint64_t kMostPasses = 1024;  // of steps in one run, those in loops too

// Kinds whose results do not depend on the order of real additions.
constexpr const char* kExact[] = {"cast", "concat", "copy",     "dequantize", "gather",
                                  "lut",  "pad",    "quantize", "requantize", "strided"};

bool IsReal(Dtype dtype) {
  return dtype == Dtype::kFloat16 || dtype == Dtype::kFloat32 || dtype == Dtype::kComplex64;
}

// Whether every level must give the same codes: no step adds real numbers in an order of its own.
bool IsExact(const Case& one) {
  const auto kinds = program::StepKinds();
  for (uint32_t i = 0; i < one.header.steps.count; ++i) {
    const auto step = one.Record<program::StepRecord>(one.header.steps, i);
    const uint64_t operands = uint64_t{step.input_count} + step.output_count;
    if (step.kind >= kinds.size || operands > one.header.operands.count) return false;
    bool real = false;
    for (uint64_t k = 0; k < operands; ++k) {
      const auto index = one.Record<int32_t>(one.header.operands, step.first_operand + k);
      real |= index >= 0 && IsReal(one.Record<program::TensorRecord>(one.header.tensors, index).dtype);
    }
    bool exact = !real;
    for (const char* kind : kExact) exact |= std::strcmp(kinds[step.kind].name, kind) == 0;
    if (!exact) return false;
  }
  return true;
}

// Words that are small half of the time, so that run-time indices hit.
void FillInput(uint32_t seed, std::vector<uint8_t>* bytes) {
  uint32_t state = seed * 2654435761u + 1;
  for (size_t i = 0; i < bytes->size(); ++i) {
    if (i % 8 == 0) state = state * 1664525u + 1013904223u;
    const bool is_small = (state >> 30) & 1;
    (*bytes)[i] = static_cast<uint8_t>(is_small ? (i % 8 ? 0 : (state >> 8) & 7) : state >> (i % 4 * 8));
    if (!is_small && i % 4 == 3) state = state * 1664525u + 1013904223u;
  }
}

struct Outcome {
  Status status;
  std::vector<std::vector<uint8_t>> outputs;
};

// `fill` is what scratch memory holds at first: results must not depend on it.
Outcome LoadAndRun(const Case& one, cpu::Isa isa, int fill) {
  // Blocks of exactly their size, so that the sanitizer sees a read beyond one.
  std::vector<std::unique_ptr<uint8_t[]>> memory;
  const auto exact = [&memory](Span<const uint8_t> bytes) {
    memory.emplace_back(new uint8_t[bytes.size]);
    if (bytes.size) std::memcpy(memory.back().get(), bytes.data, bytes.size);
    return Span<const uint8_t>{memory.back().get(), bytes.size};
  };
  const Span<const uint8_t> program_bytes = exact(one.program);
  std::vector<Span<const uint8_t>> blocks;
  for (const Span<const uint8_t>& block : one.blocks) blocks.push_back(exact(block));
  program::LoadOptions options;
  options.isa = isa;
  options.memory_limit = kMemory;
  options.weight_budget = kMemory;
  options.step_limit = kMostPasses;
  std::shared_ptr<program::Program> loaded;
  Outcome outcome;
  outcome.status = program::Load(program_bytes, {blocks.data(), blocks.size()}, options, &loaded);
  if (!outcome.status.ok()) return outcome;
  memory.clear();  // loading is over: nothing of it may be read any longer

  std::unique_ptr<program::Block> block = loaded->Take();
  if (!block) return outcome;
  if (block->scratch.size()) std::memset(block->scratch.data(), fill, block->scratch.size());
  // Ports in order, inputs first. What is lent must live as long as the run.
  const std::vector<program::Port>&inputs = loaded->parts().inputs, &outputs = loaded->parts().outputs;
  std::vector<std::vector<uint8_t>> lent(inputs.size() + outputs.size());
  for (size_t i = 0; i < lent.size(); ++i) {
    const bool is_input = i < inputs.size();
    lent[i].resize(is_input ? inputs[i].bytes : outputs[i - inputs.size()].bytes);
    if (is_input) FillInput(static_cast<uint32_t>(i) + 1, &lent[i]);
    if (loaded->is_lent(i)) {
      loaded->Lend(*block, i, lent[i].data());
    } else if (is_input) {
      loaded->CopyIn(*block, i, lent[i].data());
    }
  }
  outcome.status = loaded->Run(*block, nullptr, nullptr);
  for (size_t i = 0; i < outputs.size(); ++i) {
    std::vector<uint8_t>& output = lent[inputs.size() + i];
    if (!loaded->is_lent(inputs.size() + i)) loaded->CopyOut(*block, i, output.data());
    outcome.outputs.push_back(std::move(output));
  }
  loaded->Give(std::move(block));
  return outcome;
}

[[noreturn]] void Disagree(const std::string& what) {
  std::fprintf(stderr, "the levels disagree: %s\n", what.c_str());
  std::abort();
}

// `step 3 (conv)` of `step 3 (conv): its ...`
std::string StepOf(const Status& status) { return status.message().substr(0, status.message().find(':')); }

void Meet(const Case& one) {
  const Outcome plain = LoadAndRun(one, cpu::kScalar, 0x00);
  const Outcome best = LoadAndRun(one, cpu::Detect(), 0xA5);
  if (!plain.status.ok() || !best.status.ok()) {
    // Packed weights differ in size, so that only one may exceed the limit.
    if (plain.status.code() == Code::kLimit || best.status.code() == Code::kLimit) return;
    const bool both = !plain.status.ok() && !best.status.ok();
    // Of two faulty steps either may be named first: those that want larger packed weights wait for the others.
    if (both && StepOf(plain.status) != StepOf(best.status)) return;
    // Data that a run refuses may come from sums of real numbers.
    if (plain.status.code() != best.status.code() && IsExact(one))
      Disagree(plain.status.message() + " / " + best.status.message());
    const Outcome& failed = plain.status.ok() ? best : plain;
    if (failed.status.message().empty()) Disagree("an error without words");
    return;
  }
  if (!IsExact(one)) return;
  for (size_t i = 0; i < plain.outputs.size(); ++i) {
    const auto index = one.Record<int32_t>(one.header.outputs, i);
    if (IsReal(one.Record<program::TensorRecord>(one.header.tensors, index).dtype)) continue;
    if (plain.outputs[i] != best.outputs[i]) Disagree("output " + std::to_string(i));
  }
}

}  // namespace
}  // namespace lowbit::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lowbit::fuzz::Case one;
  if (!lowbit::fuzz::Split({data, size}, &one)) return -1;
  if (one.header.steps.count > lowbit::fuzz::kMostSteps) return -1;
  lowbit::fuzz::Meet(one);
  return 0;
}
