// The program: one flat little-endian binary that lib/program/encode.ts writes and load.cc checks.
//
//   header     Header
//   tensors    Header.tensors.count    x TensorRecord
//   operands   Header.operands.count   x int32 (index of a tensor, -1 = absent)
//   steps      Header.steps.count      x StepRecord: `main_count` in order of execution, then the blocks
//   attributes Header.attributes.count x AttributeRecord
//   inputs, outputs: int32 tensor indices
//   variables  Header.variables.count  x VariableRecord
//   data       names and attribute values, each value 8-byte aligned
//
// A block is a row of steps that another step runs (a branch, the body of a loop). Blocks stand in the order
// of the steps that run them, each right after the last one: a block comes after its step, and has one.
//
// All offsets are bytes from the start of the program. Numbers of steps, types and kinds live in this file
// alone; TypeScript asks the binding for them.
#pragma once

#include <cstdint>

namespace lowbit::program {

constexpr uint32_t kMagic = 0x3150424C;  // "LBP1"
constexpr uint32_t kVersion = 3;
constexpr int kMaxRank = 8;

enum class Dtype : int32_t {
  kBool = 0,
  kInt4 = 1,
  kInt8 = 2,
  kUint8 = 3,
  kInt16 = 4,
  kInt32 = 5,
  kInt64 = 6,
  kFloat16 = 7,
  kFloat32 = 8,
  kComplex64 = 9,  // two float32: the real part, the imaginary one
  kInt2 = 10,
  kUint16 = 11,
  kUint32 = 12,
  kBfloat16 = 13,
  kFloat64 = 14,
};

enum class Where : int32_t {
  kArena = 0,     // offset into the arena, a multiple of 64 unless the tensor is a view
  kConstant = 1,  // offset into the constant block `source`
  kState = 2,     // offset into the variable `source`, which keeps its bytes from run to run
  kLent = 3,      // the caller's memory for port `source` (inputs, then outputs); nothing is copied
};

struct Section {
  uint32_t offset, count;
};

struct Header {
  uint32_t magic, version;
  uint64_t total_bytes;  // of the program
  uint64_t arena_bytes;
  Section tensors, operands, steps, attributes, inputs, outputs, variables;
  uint32_t main_count;  // so many of the first steps are no part of a block
  uint32_t reserved;    // 0
};

struct TensorRecord {
  Dtype dtype;
  Where where;
  uint32_t source;  // constants: which block of bytes; state: which variable
  int32_t rank;
  int32_t dims[kMaxRank];
  uint64_t offset, bytes;
};

struct StepRecord {
  uint32_t kind;                                      // an index of the step table (steps/table.cc)
  uint32_t first_operand, input_count, output_count;  // inputs, then outputs
  uint32_t first_attribute, attribute_count;
};

// Memory that all programs of a model share which name it by the same number.
struct VariableRecord {
  uint32_t id;
  uint32_t fill;  // the byte that it is full of before the first run
  uint64_t bytes;
};

enum class Kind : uint32_t { kInt32 = 0, kFloat32 = 1, kFloat64 = 2, kBytes = 3 };

struct AttributeRecord {
  uint32_t name_offset, name_bytes;
  Kind kind;
  uint32_t count;  // elements
  uint64_t value_offset;
};

}  // namespace lowbit::program
