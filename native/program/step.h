// The contract of a step: what the loader hands it, what it promises when it runs.
//
// A step's loader checks every operand and attribute, packs weights and chooses its kernel; nothing is
// checked or chosen again when it runs. A loader may let std::bad_alloc and std::length_error pass, Run
// neither allocates nor throws. Steps are immutable after loading: one step object serves all runs in flight.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/aligned_buffer.h"
#include "base/span.h"
#include "base/status.h"
#include "cpu/isa.h"
#include "program/format.h"
#include "program/weights.h"
#include "threads/pool.h"

namespace lowbit::program {

class Step;

// How far a run has come, and what ends it early. All its steps share it, those of blocks too.
struct Flow {
  const std::unique_ptr<Step>* steps = nullptr;
  const std::atomic<bool>* cancel = nullptr;  // may be null
  uint64_t left = UINT64_MAX;                 // so many steps and passes of loops may still come
  double* micros = nullptr;                   // time of each step without that of its blocks, or null
  double inner = 0;                           // of `micros`: time of the blocks of the step at work
  std::atomic<const char*> failure{nullptr};  // what a step told Fail
  Code end = Code::kOk;                       // why no further step runs
  size_t at = 0;                              // and where

  // Whether the run goes on with one step or pass more.
  bool Next(size_t step) noexcept {
    const bool cancelled = cancel && cancel->load(std::memory_order_relaxed);
    if (!cancelled && left > 0) {
      --left;
      return true;
    }
    end = cancelled ? Code::kCancelled : Code::kLimit;
    at = step;
    return false;
  }
};

// One run's memory and helpers.
struct RunContext {
  uint8_t* arena;
  uint8_t* const* lent;  // the caller's memory, port by port
  uint8_t* scratch;      // at least Step::scratch_bytes(threads), 64-byte aligned, contents undefined
  threads::Pool* pool;
  int threads;           // how many may work on a step, the caller included; >= 1
  Flow* flow = nullptr;  // null where none can fail, and there are no blocks

  // Says, from any thread, that the step met values it has no result for (an index outside a table). `why`
  // must outlive the run: a literal. The step then ends without a result, and the run after it. The first one
  // counts.
  void Fail(const char* why) const noexcept {
    const char* none = nullptr;
    if (flow) flow->failure.compare_exchange_strong(none, why, std::memory_order_relaxed);
  }
};

// A row of steps that a step runs.
struct StepBlock {
  size_t first = 0, count = 0;
};

// Runs the steps from `first` on, up to the first that ends the run: false then (run.cc).
bool RunSteps(const RunContext& run, size_t first, size_t count) noexcept;

// A tensor as a step sees it, checked: bytes == size of dtype x dims, in the arena, in the state, in
// program-owned memory or in the caller's.
struct Tensor {
  Dtype dtype;
  int rank;
  int32_t dims[kMaxRank];
  size_t bytes;
  Where where;
  size_t offset;            // in the arena or in the variable
  const uint8_t* constant;  // constants during loading only: the caller's bytes, any alignment
  // Constants: the number of their block, the same in all programs of a model (0: none), and where in it.
  uint64_t identity = 0;
  size_t block_offset = 0;
  // State: where its variable lies, and which it is. Lent: the number of the port.
  uint8_t* variable = nullptr;
  uint32_t source = 0;

  bool is_constant() const { return where == Where::kConstant; }
  bool is_state() const { return where == Where::kState; }
  bool is_lent() const { return where == Where::kLent; }
  size_t count() const {
    size_t n = 1;
    for (int i = 0; i < rank; ++i) n *= static_cast<size_t>(dims[i]);
    return n;
  }
};

// Where an operand is found while running: in the arena, in memory that stays where it is (constants,
// variables), or in what the caller lends.
class Operand {
 public:
  Operand() = default;
  explicit Operand(size_t offset) : offset_(offset) {}
  explicit Operand(uint8_t* fixed) : fixed_(fixed) {}
  static Operand Lent(uint32_t port) {
    Operand operand;
    operand.port_ = static_cast<int64_t>(port);
    return operand;
  }
  bool is_lent() const { return port_ >= 0; }
  template <typename T>
  const T* In(const RunContext& run) const {
    return Out<T>(run);
  }
  template <typename T>
  T* Out(const RunContext& run) const {
    if (fixed_) return reinterpret_cast<T*>(fixed_);
    return reinterpret_cast<T*>(is_lent() ? run.lent[port_] : run.arena + offset_);
  }

 private:
  uint8_t* fixed_ = nullptr;
  size_t offset_ = 0;
  int64_t port_ = -1;
};

class Step {
 public:
  virtual ~Step() = default;
  virtual void Run(const RunContext& run) const noexcept = 0;
  // In 64 bits on every machine: the loader compares it with the limit before anything is taken.
  virtual uint64_t scratch_bytes(int /*threads*/) const { return 0; }
  const char* kernel() const { return kernel_; }  // the kernel's name, as in benchmark tables
  uint64_t packed_bytes() const { return packed_bytes_; }

 protected:
  const char* kernel_ = "";
  uint64_t packed_bytes_ = 0;
};

// The loader's view of one step: operands and named attributes. Getters check and say what was wrong.
class StepArgs {
 public:
  virtual ~StepArgs() = default;
  virtual int input_count() const = 0;  // absent optional inputs at the end count too
  virtual int output_count() const = 0;
  virtual bool has_input(int i) const = 0;  // false beyond input_count() and for absent ones
  virtual const Tensor& input(int i) const = 0;
  virtual const Tensor& output(int i) const = 0;

  // What the limit of memory leaves for this step's packed bytes and scratch together.
  virtual uint64_t memory_left() const = 0;
  // Asked before memory is taken: kLimit where `bytes` are too many.
  Status Fits(uint64_t bytes) const {
    if (bytes <= memory_left()) return Status();
    return Fail(Code::kLimit, "needs " + std::to_string(bytes) + " bytes, the limit leaves " +
                                  std::to_string(memory_left()));
  }

  // What this step may take for packed weights where it has the choice between small and fast ones.
  virtual uint64_t weight_room() const = 0;

  // The operand for running. A constant is copied once into memory of the program, 64-byte aligned.
  virtual Operand Bind(const Tensor& tensor) = 0;

  // A constant as a kernel wants it: `bytes` zeroed bytes that `pack` fills, or what an earlier program of
  // the model has packed of the same constant for the same `layout`, which says all else that the packed
  // bytes depend on. Null when there is not that much memory.
  virtual SharedBuffer Packed(const Tensor& constant, const Key& layout, size_t bytes,
                              const std::function<void(uint8_t*)>& pack) = 0;

  // Attributes. A missing name, another kind, a count other than 1 or a value outside [low, high] is an
  // error.
  virtual Status Int(const char* name, int low, int high, int* value) const = 0;
  virtual Status Float(const char* name, float* value) const = 0;
  virtual Status Double(const char* name, double* value) const = 0;
  // Arrays point into the program's bytes, which live as long as loading does; copy what is kept.
  virtual Status Ints(const char* name, size_t count, Span<const int32_t>* values) const = 0;
  virtual Status Floats(const char* name, size_t count, Span<const float>* values) const = 0;
  virtual Status Doubles(const char* name, size_t count, Span<const double>* values) const = 0;
  virtual Status Bytes(const char* name, size_t count, Span<const uint8_t>* values) const = 0;
  virtual bool has(const char* name) const = 0;

  // The next block of the program, of `count` steps, is this step's.
  virtual Status Block(int count, StepBlock* block) = 0;
  virtual size_t index() const = 0;  // of the step, in the program

  virtual cpu::Isa isa() const = 0;
  virtual int threads() const = 0;  // the most that a run of this program uses

  // An error that names this step: "step 12 (conv): <message>".
  virtual Status Fail(Code code, const std::string& message) const = 0;
};

using Loader = Status (*)(StepArgs& args, std::unique_ptr<Step>* step);

// What larger packed weights would do for a step: so many microseconds fewer a run (an estimate; 0: nothing).
struct Wish {
  double gain = 0;
  uint64_t bytes = 0, least_bytes = 0;  // of packed weights, with the wish granted and without
};
// Of a step that may be loaded; of any other, anything.
using Wisher = Wish (*)(const StepArgs& args);

struct StepKind {
  const char* name;  // as lib/ops spells it: "conv", "pool", ...
  Loader load;
  // Bit i: output 0 may be the very memory of input i (`inPlace` of a step in lib/ops). Beyond that no output
  // of a step overlaps another operand: load.cc refuses such programs.
  uint32_t in_place = 0;
  Wisher wish = nullptr;  // null: packed weights have one size
};

// All kinds; a program's StepRecord.kind is an index of this list. Defined in steps/table.cc.
Span<const StepKind> StepKinds();

}  // namespace lowbit::program
