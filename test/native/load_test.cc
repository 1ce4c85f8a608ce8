// The loader against programs that were built wrong, cut short or bent: a Status, never a crash.
#include "program/load.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "program/format.h"
#include "program/step.h"

namespace lowbit::program {
namespace {

// Number of a step kind, by its name.
uint32_t KindOf(const std::string& name) {
  const Span<const StepKind> kinds = StepKinds();
  const auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const StepKind& kind) { return name == kind.name; });
  return static_cast<uint32_t>(found - kinds.begin());
}

// A small program with everything in it: two copies, a constant, an absent operand is left to the bent ones.
uint32_t KindOf(const char* name) {
  const auto kinds = StepKinds();
  uint32_t kind = 0;
  while (kind < kinds.size && std::strcmp(kinds[kind].name, name) != 0) ++kind;
  return kind;
}

struct Sample {
  Header header{};
  std::vector<TensorRecord> tensors;
  std::vector<int32_t> operands, inputs, outputs;
  std::vector<StepRecord> steps;
  std::vector<std::pair<std::string, std::vector<int32_t>>> attributes;
  std::vector<uint8_t> constant;

  Sample() {
    constant.resize(24);
    for (size_t i = 0; i < constant.size(); ++i) constant[i] = static_cast<uint8_t>(100 + i);
    header.magic = kMagic;
    header.version = kVersion;
    header.arena_bytes = 192;
    tensors = {Arena(Dtype::kInt8, {2, 8}, 0, 16), Arena(Dtype::kInt8, {16}, 64, 16), Constant({16}, 4, 16),
               Arena(Dtype::kInt32, {4}, 128, 16), Arena(Dtype::kInt4, {3, 5}, 0, 8)};
    operands = {0, 1, 2, 3};
    const uint32_t copy = KindOf("copy");
    steps = {{copy, 0, 1, 1, 0, 2}, {copy, 2, 1, 1, 2, 0}};
    attributes = {{"strideH", {1}}, {"lows", {1, 2, 3}}};
    inputs = {0};
    outputs = {1, 3, 2, 0};
  }

  static TensorRecord Arena(Dtype dtype, std::vector<int32_t> dims, uint64_t offset, uint64_t bytes) {
    TensorRecord record{dtype, Where::kArena, 0, static_cast<int32_t>(dims.size()), {}, offset, bytes};
    std::copy(dims.begin(), dims.end(), record.dims);
    return record;
  }
  static TensorRecord Constant(std::vector<int32_t> dims, uint64_t offset, uint64_t bytes) {
    TensorRecord record = Arena(Dtype::kInt8, std::move(dims), offset, bytes);
    record.where = Where::kConstant;
    return record;
  }

  std::vector<uint8_t> Bytes() const {
    std::vector<uint8_t> bytes(sizeof(Header));
    Header full = header;
    const auto put = [&bytes](const void* data, size_t size) {
      const size_t at = bytes.size();
      bytes.resize((at + size + 7) / 8 * 8);
      if (size) std::memcpy(bytes.data() + at, data, size);
      return static_cast<uint32_t>(at);
    };
    const auto section = [&put](const auto& records) {
      return Section{put(records.data(), records.size() * sizeof records[0]),
                     static_cast<uint32_t>(records.size())};
    };
    full.tensors = section(tensors);
    full.operands = section(operands);
    full.steps = section(steps);
    full.inputs = section(inputs);
    full.outputs = section(outputs);
    std::vector<AttributeRecord> records;
    for (const auto& [name, values] : attributes) {
      const uint32_t name_offset = put(name.data(), name.size());
      records.push_back({name_offset, static_cast<uint32_t>(name.size()), Kind::kInt32,
                         static_cast<uint32_t>(values.size()), put(values.data(), values.size() * 4)});
    }
    full.attributes = section(records);
    full.total_bytes = bytes.size();
    full.main_count = full.steps.count + header.main_count;  // a test may add to it
    std::memcpy(bytes.data(), &full, sizeof full);
    return bytes;
  }
};

// Loads from a block of exactly that size, so that the address sanitizer sees a read beyond it.
Status LoadBytes(const std::vector<uint8_t>& bytes, const std::vector<uint8_t>& constant,
                 std::shared_ptr<Program>* program, uint64_t limit = 1 << 20) {
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
  if (!bytes.empty()) std::memcpy(exact.get(), bytes.data(), bytes.size());
  const std::unique_ptr<uint8_t[]> block(new uint8_t[constant.size()]);
  if (!constant.empty()) std::memcpy(block.get(), constant.data(), constant.size());
  const Span<const uint8_t> blocks[1] = {{block.get(), constant.size()}};
  LoadOptions options;
  options.memory_limit = limit;
  options.step_limit = 1 << 16;
  return Load({exact.get(), bytes.size()}, {blocks, 1}, options, program);
}

// Runs what was loaded, so that a hole in the checks shows as a bad access.
Status RunAll(Program& program) {
  std::unique_ptr<Block> block = program.Take();
  if (!block) return Status(Code::kLimit, "no memory");
  for (size_t i = 0; i < program.parts().inputs.size(); ++i) {
    const std::vector<uint8_t> input(program.parts().inputs[i].bytes, static_cast<uint8_t>(i + 1));
    program.CopyIn(*block, i, input.data());
  }
  const Status status = program.Run(*block, nullptr, nullptr);
  for (size_t i = 0; i < program.parts().outputs.size(); ++i) {
    std::vector<uint8_t> output(program.parts().outputs[i].bytes);
    program.CopyOut(*block, i, output.data());
  }
  program.Give(std::move(block));
  return status;
}

LOWBIT_TEST("load: the sample loads and runs") {
  const Sample sample;
  std::shared_ptr<Program> program;
  const Status status = LoadBytes(sample.Bytes(), sample.constant, &program);
  LOWBIT_CHECK_THAT(status.ok(), status.message());
  std::unique_ptr<Block> block = program->Take();
  LOWBIT_CHECK(block != nullptr);
  uint8_t input[16], output[16];
  for (int i = 0; i < 16; ++i) input[i] = static_cast<uint8_t>(7 * i);
  program->CopyIn(*block, 0, input);
  LOWBIT_CHECK(program->Run(*block, nullptr, nullptr).ok());
  program->CopyOut(*block, 0, output);
  LOWBIT_CHECK(std::memcmp(output, input, 16) == 0);
  program->CopyOut(*block, 1, output);
  LOWBIT_CHECK(std::memcmp(output, sample.constant.data() + 4, 16) == 0);
  program->CopyOut(*block, 2, output);  // a constant output
  LOWBIT_CHECK(std::memcmp(output, sample.constant.data() + 4, 16) == 0);
  program->CopyOut(*block, 3, output);  // an input that is an output
  LOWBIT_CHECK(std::memcmp(output, input, 16) == 0);
  LOWBIT_EQUAL(program->parts().packed_bytes, 16u);  // kept once
  std::atomic<bool> cancel{true};
  LOWBIT_CHECK(program->Run(*block, &cancel, nullptr).code() == Code::kCancelled);
  double micros[2] = {-1, -1};
  LOWBIT_CHECK(program->Run(*block, nullptr, micros).ok() && micros[0] >= 0 && micros[1] >= 0);
  program->Give(std::move(block));
}

LOWBIT_TEST("load: every program cut short is refused") {
  const Sample sample;
  const std::vector<uint8_t> bytes = sample.Bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    std::shared_ptr<Program> program;
    std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    LOWBIT_CHECK_THAT(!LoadBytes(cut, sample.constant, &program).ok(), std::to_string(size));
    // The same with a header that agrees to the cut.
    if (size < sizeof(Header)) continue;
    const uint64_t total = size;
    std::memcpy(cut.data() + offsetof(Header, total_bytes), &total, sizeof total);
    if (LoadBytes(cut, sample.constant, &program).ok()) LOWBIT_CHECK(RunAll(*program).ok());
  }
}

LOWBIT_TEST("load: bent programs are refused or run") {
  const Sample sample;
  const std::vector<uint8_t> bytes = sample.Bytes();
  int loaded = 0, refused = 0;
  const auto meet = [&](const std::vector<uint8_t>& bent) {
    std::shared_ptr<Program> program;
    const Status status = LoadBytes(bent, sample.constant, &program);
    ++(status.ok() ? loaded : refused);
    return status.ok() ? RunAll(*program).ok() : !status.message().empty();
  };
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<uint8_t> bent = bytes;
    bent[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    LOWBIT_CHECK_THAT(meet(bent), "bit " + std::to_string(bit));
  }
  for (size_t at = 0; at + 4 <= bytes.size(); at += 4)
    for (const uint32_t word : {0u, 1u, 63u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu, 0x10000u}) {
      std::vector<uint8_t> bent = bytes;
      std::memcpy(bent.data() + at, &word, 4);
      LOWBIT_CHECK_THAT(meet(bent), "word " + std::to_string(at));
    }
  uint32_t random = 1;
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> bent = bytes;
    for (int change = 0; change < 3; ++change) {
      random = random * 1664525u + 1013904223u;
      bent[(random >> 8) % bent.size()] = static_cast<uint8_t>(random >> 24);
    }
    LOWBIT_CHECK_THAT(meet(bent), "round " + std::to_string(round));
  }
  LOWBIT_CHECK(loaded > 100 && refused > 100);
}

// Loads a sample that `change` spoilt; gives the code.
template <typename Change>
Code Spoilt(Change change, uint64_t limit = 1 << 20) {
  Sample sample;
  change(sample);
  std::shared_ptr<Program> program;
  return LoadBytes(sample.Bytes(), sample.constant, &program, limit).code();
}

LOWBIT_TEST("load: each rule has its refusal") {
  const auto invalid = [](auto change) { return Spoilt(change) == Code::kInvalid; };
  LOWBIT_CHECK(invalid([](Sample& s) { s.header.magic = 1; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.header.version = 99; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.header.arena_bytes = 143; }));
  // State: none there; blocks: steps that belong to none.
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[1].where = Where::kState; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.header.main_count = UINT32_MAX; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.header.main_count = 1; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[0].bytes = 15; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[4].bytes = 7; }));  // 15 int4 values are 8 bytes
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[0].offset = 192; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[0].offset = UINT64_MAX; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[3].offset = 130; }));  // int32 at an odd place
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[0].rank = 9; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[0].rank = -1; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[0].dims[0] = -2; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[0].dims[0] = INT32_MAX; }));
  LOWBIT_CHECK(invalid([](Sample& s) {  // a product that wraps round to 16
    s.tensors[0].rank = 5;
    for (int i = 0; i < 4; ++i) s.tensors[0].dims[i] = 1 << 16;
    s.tensors[0].dims[4] = 16;
  }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[2].source = 1; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[2].offset = 9; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[1].where = static_cast<Where>(7); }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.tensors[1].dtype = static_cast<Dtype>(70); }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.operands[0] = 5; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.operands[1] = -1; }));  // an output must be there
  LOWBIT_CHECK(invalid([](Sample& s) { s.operands[0] = -1; }));  // copy says so of its input
  LOWBIT_CHECK(invalid([](Sample& s) { s.operands[1] = 2; }));   // writes a constant
  LOWBIT_CHECK(invalid([](Sample& s) { s.steps[0].kind = 1u << 30; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.steps[0].input_count = UINT32_MAX; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.steps[1].first_operand = 3; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.steps[1].attribute_count = 1; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.attributes[1].first = "strideH"; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.attributes[1].first = "a b"; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.inputs[0] = 2; }));  // an input must be writable
  LOWBIT_CHECK(invalid([](Sample& s) { s.inputs[0] = -1; }));
  LOWBIT_CHECK(invalid([](Sample& s) { s.outputs[0] = 9; }));
  LOWBIT_CHECK(Spoilt([](Sample& s) {
                 s.operands[1] = 4;
                 s.tensors[4].offset = 64;
               }) == Code::kShapeMismatch);
  LOWBIT_CHECK(Spoilt([](Sample&) {}, 191) == Code::kLimit);
  LOWBIT_CHECK(Spoilt([](Sample&) {}, 192 + 16) == Code::kOk);
  LOWBIT_CHECK(Spoilt([](Sample&) {}, 192 + 15) == Code::kLimit);
  LOWBIT_CHECK(Spoilt([](Sample& s) { s.header.arena_bytes = uint64_t{1} << 60; }) == Code::kLimit);
  LOWBIT_CHECK(Spoilt([](Sample& s) { s.header.arena_bytes = UINT64_MAX; }, UINT64_MAX) == Code::kLimit);
}

// One step over three int8 tensors of 16 elements: two inputs, then the output, each at its offset.
Code LoadThree(const char* kind, std::vector<int32_t> operands, std::vector<uint64_t> offsets) {
  Sample sample;
  for (size_t i = 0; i < 3; ++i) sample.tensors[i] = Sample::Arena(Dtype::kInt8, {16}, offsets[i], 16);
  sample.operands = std::move(operands);
  const auto inputs = static_cast<uint32_t>(sample.operands.size() - 1);
  sample.steps = {{KindOf(kind), 0, inputs, 1, 0, 1}};
  sample.attributes = {{"op", {3}}};
  sample.outputs = {0};
  std::shared_ptr<Program> program;
  return LoadBytes(sample.Bytes(), sample.constant, &program).code();
}

LOWBIT_TEST("load: what a step writes overlaps nothing else, but where it works in place") {
  LOWBIT_CHECK(LoadThree("binary", {0, 1, 2}, {0, 64, 128}) == Code::kOk);
  LOWBIT_CHECK(LoadThree("binary", {0, 1, 2}, {0, 64, 0}) == Code::kOk);
  LOWBIT_CHECK(LoadThree("binary", {0, 1, 2}, {64, 0, 0}) == Code::kOk);
  LOWBIT_CHECK(LoadThree("binary", {0, 0, 0}, {0, 64, 128}) == Code::kOk);
  for (const uint64_t near : {1, 8, 15}) {
    LOWBIT_CHECK(LoadThree("binary", {0, 1, 2}, {near, 64, 0}) == Code::kInvalid);
    LOWBIT_CHECK(LoadThree("binary", {0, 1, 2}, {0, 64, near}) == Code::kInvalid);
  }
  LOWBIT_CHECK(LoadThree("binary", {0, 1, 2}, {0, 64, 16}) == Code::kOk);
  LOWBIT_CHECK(LoadThree("copy", {0, 2}, {0, 64, 16}) == Code::kOk);
  LOWBIT_CHECK(LoadThree("copy", {0, 2}, {0, 64, 0}) == Code::kOk);
  LOWBIT_CHECK(LoadThree("copy", {0, 2}, {0, 64, 8}) == Code::kInvalid);
}

// A loop over a constant condition: `counts` are the steps of its two blocks, of which there are `steps`.
Status LoadLoop(std::vector<int32_t> counts, int steps, std::shared_ptr<Program>* program,
                const char* kind = "while") {
  Sample sample;
  sample.tensors[0] = Sample::Arena(Dtype::kBool, {1}, 0, 1);
  sample.operands = {0};
  sample.steps = {{KindOf(kind), 0, 1, 0, 0, 1}};
  sample.attributes = {{"counts", std::move(counts)}};
  sample.inputs = {0};
  sample.outputs = {0};
  for (int i = 0; i < steps; ++i) {
    sample.operands.insert(sample.operands.end(), {0, 3});
    sample.tensors[3] = Sample::Arena(Dtype::kBool, {1}, 128, 1);
    sample.steps.push_back({KindOf("copy"), static_cast<uint32_t>(1 + 2 * i), 1, 1, 1, 0});
  }
  sample.header.main_count = static_cast<uint32_t>(-steps);
  return LoadBytes(sample.Bytes(), sample.constant, program);
}

LOWBIT_TEST("load: each step is a main step or part of one block, which stands behind its owner") {
  std::shared_ptr<Program> program;
  const auto code = [&](std::vector<int32_t> counts, int steps, const char* kind = "while") {
    return LoadLoop(std::move(counts), steps, &program, kind).code();
  };
  LOWBIT_CHECK(code({1, 2}, 3) == Code::kOk);
  LOWBIT_CHECK(code({0, 0}, 0) == Code::kOk);
  LOWBIT_CHECK(code({1, 1}, 3) == Code::kInvalid);
  LOWBIT_CHECK(code({1, 3}, 3) == Code::kInvalid);
  LOWBIT_CHECK(code({-1, 4}, 3) == Code::kInvalid);
  LOWBIT_CHECK(code({3}, 3) == Code::kInvalid);
  LOWBIT_CHECK(code({3, 0}, 3, "if") == Code::kOk);
  LOWBIT_CHECK(code({3}, 3, "once") == Code::kInvalid);  // its operand is no variable
  Sample outside;
  outside.attributes = {{"counts", {0, 0}}};
  outside.operands = {0};
  outside.steps = {{KindOf("while"), 0, 1, 0, 0, 1}};
  LOWBIT_CHECK(LoadBytes(outside.Bytes(), outside.constant, &program).code() == Code::kTypeMismatch);
}

LOWBIT_TEST("run: an endless loop ends at the limit, and by its flag") {
  std::shared_ptr<Program> program;
  for (const int steps : {0, 2}) {
    LOWBIT_CHECK(LoadLoop({0, steps}, steps, &program).ok());
    std::unique_ptr<Block> block = program->Take();
    const uint8_t yes = 1, no = 0;
    program->CopyIn(*block, 0, &no);
    LOWBIT_CHECK(program->Run(*block, nullptr, nullptr).ok());
    program->CopyIn(*block, 0, &yes);
    LOWBIT_CHECK(program->Run(*block, nullptr, nullptr).code() == Code::kLimit);
    const std::atomic<bool> cancel{true};
    LOWBIT_CHECK(program->Run(*block, &cancel, nullptr).code() == Code::kCancelled);
    std::vector<double> micros(program->parts().steps.size());
    LOWBIT_CHECK(program->Run(*block, nullptr, micros.data()).code() == Code::kLimit);
    program->Give(std::move(block));
  }
}

LOWBIT_TEST("load: steps share no operands and no attributes") {
  LOWBIT_CHECK(Spoilt([](Sample& s) { s.steps[1].first_operand = 0; }) == Code::kOk);
  LOWBIT_CHECK(Spoilt([](Sample& s) { s.steps.push_back(s.steps[0]); }) == Code::kInvalid);
  LOWBIT_CHECK(Spoilt([](Sample& s) {
                 s.operands.insert(s.operands.end(), {0, 1});
                 s.steps.push_back(s.steps[0]);  // has two attributes, as the first step
                 s.steps[2].first_operand = 4;
               }) == Code::kInvalid);
  LOWBIT_CHECK(Spoilt([](Sample& s) {
                 for (int i = 0; i < 65; ++i) s.attributes.push_back({"a" + std::to_string(i), {1}});
                 s.steps[0].attribute_count = 67;
               }) == Code::kInvalid);
}

LOWBIT_TEST("load: huge extents beside an empty one take no time") {
  Sample sample;
  const int32_t huge = 1 << 30;
  sample.tensors[0] = Sample::Arena(Dtype::kInt8, {huge, 1 << 20, 0}, 0, 0);
  sample.tensors[1] = sample.tensors[0];
  sample.tensors[2] = Sample::Arena(Dtype::kInt8, {1}, 0, 1);
  sample.operands = {0, 0, 1, 0, 2};
  sample.steps = {{KindOf("binary"), 0, 2, 1, 0, 1}, {KindOf("reduce"), 3, 1, 1, 1, 2}};
  sample.attributes = {{"op", {3}}, {"op", {2}}, {"axes", {1, 1, 1}}};
  sample.outputs = {2};
  std::shared_ptr<Program> program;
  const Status status = LoadBytes(sample.Bytes(), sample.constant, &program);
  LOWBIT_CHECK_THAT(status.ok(), status.message());
  LOWBIT_CHECK(std::string(program->parts().steps[0]->kernel()) == "nothing");
  LOWBIT_CHECK(RunAll(*program).ok());
}

LOWBIT_TEST("load: softmax of a row whose sum wraps to nothing") {
  Sample sample;
  sample.header.arena_bytes = 3 * 8192;
  sample.tensors[0] = Sample::Arena(Dtype::kInt8, {1, 8192}, 0, 8192);
  sample.tensors[1] = Sample::Arena(Dtype::kInt16, {1, 8192}, 8192, 16384);
  sample.operands = {0, 1};
  sample.steps = {{KindOf("softmax"), 0, 1, 1, 0, 3}};
  sample.attributes = {{"multiplier", {1 << 30}}, {"shift", {22}}, {"log", {0}}};
  sample.outputs = {1};
  std::shared_ptr<Program> program;
  const Status status = LoadBytes(sample.Bytes(), sample.constant, &program);
  LOWBIT_CHECK_THAT(status.ok(), status.message());
  LOWBIT_CHECK(RunAll(*program).ok());
}

LOWBIT_TEST("load: empty tensors are fine") {
  LOWBIT_CHECK(Spoilt([](Sample& s) {
                 s.tensors[0] = Sample::Arena(Dtype::kInt8, {3, 0, 1 << 30, 1 << 20}, 192, 0);
                 s.tensors[1] = Sample::Arena(Dtype::kInt8, {0}, 0, 0);
               }) == Code::kOk);
}

LOWBIT_TEST("load: blocks are kept, and given back once closed") {
  const Sample sample;
  std::shared_ptr<Program> program;
  LOWBIT_CHECK(LoadBytes(sample.Bytes(), sample.constant, &program).ok());
  std::vector<std::unique_ptr<Block>> blocks;
  for (int i = 0; i < 4; ++i) blocks.push_back(program->TakeIfFew());
  LOWBIT_CHECK(blocks[3] != nullptr);
  LOWBIT_CHECK(program->TakeIfFew() == nullptr);
  for (int i = 0; i < 6; ++i) blocks.push_back(program->Take());
  LOWBIT_EQUAL(program->HeldBytes(), 16u + 10 * 192u);
  for (std::unique_ptr<Block>& block : blocks) program->Give(std::move(block));
  LOWBIT_EQUAL(program->HeldBytes(), 16u + 4 * 192u);
  std::unique_ptr<Block> last = program->Take();
  program->Close();
  LOWBIT_EQUAL(program->HeldBytes(), 16u + 192u);
  program->Give(std::move(last));
  LOWBIT_EQUAL(program->HeldBytes(), 16u);
}

}  // namespace
}  // namespace lowbit::program
