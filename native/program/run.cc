// Runs a loaded program and lends its memory. Everything was checked by load.cc.
#include "program/run.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace lowbit::program {

Program::Program(Parts parts) : parts_(std::move(parts)) {
  for (const Port& port : parts_.inputs) input_bytes_ += RoundUp(port.bytes);
  for (const Port& port : parts_.outputs) output_bytes_ += RoundUp(port.bytes);
  for (const std::vector<Port>* ports : {&parts_.inputs, &parts_.outputs})
    for (const Port& port : *ports) takes_loans_ = takes_loans_ || port.at.is_lent();
  free_.reserve(kKept);
}

std::unique_ptr<Block> Program::NewBlock() {
  std::unique_ptr<Block> block(new (std::nothrow) Block);
  const size_t ports = parts_.inputs.size() + parts_.outputs.size();
  if (block) block->lent.reset(new (std::nothrow) uint8_t*[ports]());
  if (block && block->lent && block->arena.Allocate(parts_.arena_bytes) &&
      block->scratch.Allocate(parts_.scratch_bytes))
    return block;
  const std::lock_guard<std::mutex> lock(mutex_);
  --out_;
  --blocks_;
  return nullptr;
}

std::unique_ptr<Block> Program::Take() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++out_;
    if (!free_.empty()) {
      std::unique_ptr<Block> block = std::move(free_.back());
      free_.pop_back();
      return block;
    }
    ++blocks_;
  }
  return NewBlock();
}

std::unique_ptr<Block> Program::TakeIfFew() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (out_ >= kKept) return nullptr;
  }
  return Take();
}

void Program::Give(std::unique_ptr<Block> block) {
  if (!block) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  --out_;
  if (!closed_ && free_.size() < kKept)
    free_.push_back(std::move(block));
  else
    --blocks_;
}

void Program::Close() {
  std::vector<std::unique_ptr<Block>> dropped;
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  dropped.swap(free_);
  blocks_ -= dropped.size();
}

RunContext Program::ContextOf(const Block& block) const {
  return {const_cast<uint8_t*>(block.arena.data()), block.lent.get(),
          const_cast<uint8_t*>(block.scratch.data()), parts_.pool, parts_.threads};
}

void Program::CopyIn(Block& block, size_t input, const void* bytes) const {
  const Port& port = parts_.inputs[input];
  if (port.bytes) std::memcpy(port.at.Out<uint8_t>(ContextOf(block)), bytes, port.bytes);
}

void Program::CopyOut(const Block& block, size_t output, void* bytes) const {
  const Port& port = parts_.outputs[output];
  if (port.bytes) std::memcpy(bytes, port.at.In<uint8_t>(ContextOf(block)), port.bytes);
}

bool Program::SaveState(std::vector<AlignedBuffer>* copies) const {
  for (const std::shared_ptr<Variable>& variable : parts_.variables) {
    AlignedBuffer copy;
    const size_t size = variable->bytes.size();
    if (size > 0 && !copy.Allocate(size)) return false;
    if (size > 0) std::memcpy(copy.data(), variable->bytes.data(), size);
    copies->push_back(std::move(copy));
  }
  return true;
}

void Program::RestoreState(const std::vector<AlignedBuffer>& copies) {
  for (size_t i = 0; i < copies.size(); ++i)
    if (copies[i].size()) std::memcpy(parts_.variables[i]->bytes.data(), copies[i].data(), copies[i].size());
}

namespace {

// One step, with its time but for that of its blocks.
void RunTimed(const RunContext& run, Flow& flow, size_t i) noexcept {
  using Clock = std::chrono::steady_clock;
  const double outer = std::exchange(flow.inner, 0.0);
  const Clock::time_point start = Clock::now();
  flow.steps[i]->Run(run);
  const double all = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  flow.micros[i] += all - flow.inner;
  flow.inner = outer + all;
}

}  // namespace

bool RunSteps(const RunContext& run, size_t first, size_t count) noexcept {
  Flow& flow = *run.flow;
  for (size_t i = first; i < first + count; ++i) {
    if (!flow.Next(i)) return false;
    if (flow.micros)
      RunTimed(run, flow, i);
    else
      flow.steps[i]->Run(run);
    if (flow.end != Code::kOk) return false;
    if (flow.failure.load(std::memory_order_relaxed)) {
      flow.end = Code::kData;
      flow.at = i;
      return false;
    }
  }
  return true;
}

Status Program::Run(Block& block, const std::atomic<bool>* cancel, double* micros) {
  RunContext context = ContextOf(block);
  Flow flow;
  flow.steps = parts_.steps.data();
  flow.cancel = cancel;
  flow.left = parts_.step_limit;
  flow.micros = micros;
  context.flow = &flow;
  if (micros) std::fill(micros, micros + parts_.steps.size(), 0.0);
  if (RunSteps(context, 0, parts_.main_count)) return Status();
  if (flow.end == Code::kCancelled) return Status(Code::kCancelled, "the run was cancelled");
  const std::string where =
      "step " + std::to_string(flow.at) + " (" + parts_.steps[flow.at]->kernel() + "): ";
  if (flow.end == Code::kLimit)
    return Status(Code::kLimit, where + "the run takes more than " + std::to_string(parts_.step_limit) +
                                    " steps and passes of loops, which is the limit");
  return Status(Code::kData, where + flow.failure.load(std::memory_order_relaxed));
}

uint64_t Program::HeldBytes() const {
  return parts_.packed_bytes + (static_cast<uint64_t>(parts_.arena_bytes) + parts_.scratch_bytes) *
                                   blocks_.load(std::memory_order_relaxed);
}

}  // namespace lowbit::program
