// A loaded program: immutable steps and constants shared by all runs, and the memory blocks that runs borrow.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/status.h"
#include "program/state.h"
#include "program/step.h"
#include "threads/pool.h"

namespace lowbit::program {

// An input or output of the program.
struct Port {
  size_t bytes;
  size_t element_bytes;  // what memory that is lent must be aligned to
  Operand at;
};

// What one run needs of its own.
struct Block {
  AlignedBuffer arena, scratch;
  std::unique_ptr<uint8_t*[]> lent;  // port by port, inputs first; null where bytes are copied
};

class Program {
 public:
  // What load.cc found and checked.
  struct Parts {
    size_t arena_bytes = 0;
    size_t main_count = 0;      // steps that are no part of a block
    uint64_t step_limit = 0;    // steps and passes of loops of one run
    size_t scratch_bytes = 0;   // the largest of the steps
    uint64_t packed_bytes = 0;  // weights packed by steps, and the constants below
    int threads = 1;
    threads::Pool* pool = nullptr;
    std::vector<Port> inputs, outputs;
    std::vector<SharedBuffer> constants;
    uint64_t shared_bytes = 0;  // of packed_bytes, taken from earlier programs
    std::shared_ptr<State> state;
    std::vector<std::shared_ptr<Variable>> variables;  // those of the state that steps use
    std::vector<std::unique_ptr<Step>> steps;
  };
  explicit Program(Parts parts);

  const Parts& parts() const { return parts_; }
  size_t input_bytes() const { return input_bytes_; }    // of all inputs together, each rounded up to 64
  size_t output_bytes() const { return output_bytes_; }  // likewise

  static constexpr size_t RoundUp(size_t bytes) { return (bytes + 63) / 64 * 64; }

  // Memory for one run: a kept block, or a new one. Null when there is not that much memory.
  std::unique_ptr<Block> Take();
  // Likewise, but also null when kKept blocks are out already: the run then waits with copies of its inputs
  // alone.
  std::unique_ptr<Block> TakeIfFew();
  // Gives a block back; kept for later runs, unless enough are kept or the program is closed.
  void Give(std::unique_ptr<Block> block);
  // No block is kept any longer. Runs that hold one may go on.
  void Close();

  void CopyIn(Block& block, size_t input, const void* bytes) const;
  void CopyOut(const Block& block, size_t output, void* bytes) const;

  // Ports that are not copied: all of them must be lent before a run, and stay until it has ended.
  bool takes_loans() const { return takes_loans_; }
  bool is_lent(size_t port) const { return PortOf(port).at.is_lent(); }
  size_t element_bytes(size_t port) const { return PortOf(port).element_bytes; }
  void Lend(Block& block, size_t port, uint8_t* bytes) const { block.lent[port] = bytes; }

  // Whether runs depend on those before them. The caller sees to it that such runs never overlap, nor those of
  // programs with the same state.
  bool has_state() const { return !parts_.variables.empty(); }

  // Runs the steps. `cancel` is looked at before each step (kCancelled); kData where a step calls Fail, kLimit
  // beyond the limit of steps. `micros`: one entry a step, those of blocks too, or null.
  Status Run(Block& block, const std::atomic<bool>* cancel, double* micros);

  // Keeps the variables for later, and brings them back. False where there is not that much memory.
  bool SaveState(std::vector<AlignedBuffer>* copies) const;
  void RestoreState(const std::vector<AlignedBuffer>& copies);

  // Bytes that the program holds now, blocks included.
  uint64_t HeldBytes() const;

 private:
  // Blocks kept for later runs: as many as threads of Node run them at once by default.
  static constexpr size_t kKept = 4;

  std::unique_ptr<Block> NewBlock();
  RunContext ContextOf(const Block& block) const;
  const Port& PortOf(size_t port) const {
    const size_t inputs = parts_.inputs.size();
    return port < inputs ? parts_.inputs[port] : parts_.outputs[port - inputs];
  }

  const Parts parts_;
  bool takes_loans_ = false;
  size_t input_bytes_ = 0, output_bytes_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Block>> free_;  // under mutex_
  size_t out_ = 0;                            // blocks that runs hold, under mutex_
  std::atomic<size_t> blocks_{0};             // free and out; changes under mutex_
  bool closed_ = false;                       // under mutex_
};

}  // namespace lowbit::program
