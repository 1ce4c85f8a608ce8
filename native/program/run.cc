// Runs a loaded program and lends its memory. Everything was checked by load.cc.
#include "program/run.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace lowbit::program {
namespace {

constexpr size_t RoundUp(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

Program::Program(Parts parts, AlignedBuffer state) : parts_(std::move(parts)), state_(std::move(state)) {
  ResetState();
  for (const Port& port : parts_.inputs) input_bytes_ += RoundUp(port.bytes);
  for (const Port& port : parts_.outputs) output_bytes_ += RoundUp(port.bytes);
  free_.reserve(kKept);
}

std::unique_ptr<Block> Program::NewBlock() {
  std::unique_ptr<Block> block(new (std::nothrow) Block);
  if (block && block->arena.Allocate(parts_.arena_bytes) && block->scratch.Allocate(parts_.scratch_bytes))
    return block;
  const std::lock_guard<std::mutex> lock(mutex_);
  --out_;
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
  if (!closed_ && free_.size() < kKept) free_.push_back(std::move(block));
}

void Program::Close() {
  std::vector<std::unique_ptr<Block>> dropped;
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  dropped.swap(free_);
}

RunContext Program::ContextOf(const Block& block) const {
  return {const_cast<uint8_t*>(block.arena.data()), const_cast<uint8_t*>(state_.data()),
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

void Program::ResetState() {
  if (state_.size()) std::memset(state_.data(), 0, state_.size());
  is_new_ = true;
}

bool Program::SaveState(AlignedBuffer* copy) const {
  // One byte more says whether the state is new.
  if (!copy->Allocate(state_.size() + 1)) return false;
  if (state_.size()) std::memcpy(copy->data(), state_.data(), state_.size());
  copy->data()[state_.size()] = is_new_;
  return true;
}

void Program::RestoreState(const AlignedBuffer& copy) {
  if (state_.size()) std::memcpy(state_.data(), copy.data(), state_.size());
  is_new_ = copy.data()[state_.size()] != 0;
}

Status Program::Run(Block& block, const std::atomic<bool>* cancel, double* micros) {
  using Clock = std::chrono::steady_clock;
  RunContext context = ContextOf(block);
  std::atomic<const char*> failure{nullptr};
  context.failure = &failure;
  const size_t first = is_new_ ? 0 : parts_.once_count;
  if (micros) std::fill(micros, micros + parts_.steps.size(), 0.0);
  for (size_t i = first; i < parts_.main_count; ++i) {
    const Step* const step = parts_.steps[i].get();
    if (cancel && cancel->load(std::memory_order_relaxed))
      return Status(Code::kCancelled, "the run was cancelled");
    if (micros) {
      const Clock::time_point start = Clock::now();
      step->Run(context);
      micros[i] = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
    } else {
      step->Run(context);
    }
    if (const char* why = failure.load(std::memory_order_relaxed))
      return Status(Code::kData, "step " + std::to_string(i) + " (" + step->kernel() + "): " + why);
    if (i + 1 == parts_.once_count) is_new_ = false;
  }
  return Status();
}

uint64_t Program::HeldBytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return parts_.packed_bytes + state_.size() +
         (static_cast<uint64_t>(parts_.arena_bytes) + parts_.scratch_bytes) * (free_.size() + out_);
}

}  // namespace lowbit::program
