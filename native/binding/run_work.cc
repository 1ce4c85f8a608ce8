// Runs off the event loop: libuv's workers call Execute, the JavaScript thread calls Complete.
#include "binding/run_work.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "base/span.h"
#include "binding/arguments.h"
#include "binding/instance.h"

namespace lowbit::binding {
namespace {

using program::Program;

const Failure kNoMemory{kLimitExceeded, kOutOfMemory};

// Calls what may run out of memory; false if it did.
template <typename Work>
bool Attempt(const Work& work) {
  try {
    work();
    return true;
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  return false;
}

}  // namespace

RunWork::~RunWork() {
  program_->Give(std::move(block_));
  for (const napi_ref output : outputs_) napi_delete_reference(env_, output);
  if (control_->work) napi_delete_async_work(env_, control_->work);
  control_->work = nullptr;
  control_->run = nullptr;
}

Failure RunWork::TakeInputs(const Views& inputs, bool may_hold_block) {
  const std::vector<program::Port>& ports = program_->parts().inputs;
  if (may_hold_block) block_ = program_->TakeIfFew();
  if (!block_ && !staged_.Allocate(program_->input_bytes() + program_->output_bytes())) return kNoMemory;
  uint8_t* place = staged_.data();
  for (size_t i = 0; i < inputs.size(); ++i) {
    Span<uint8_t> bytes;
    if (Failure failure = OpenViewOf(env_, inputs[i].value, {"input", i}, ports[i].bytes, &bytes))
      return failure;
    if (block_) {
      program_->CopyIn(*block_, i, bytes.data);
    } else {
      if (bytes.size) std::memcpy(place, bytes.data, bytes.size);
      place += Program::RoundUp(bytes.size);
    }
  }
  return {};
}

// Gives the run to libuv's workers, or lets it wait for a place among them.
Failure RunWork::HandOver() {
  Instance* const instance = Instance::Of(env_);
  if (!instance) return NodeFailure(env_);
  if (instance->in_pool < instance->most_in_pool) return EnterPool(instance);
  instance->waiting.push_back(this);
  return {};
}

Failure RunWork::EnterPool(Instance* instance) {
  napi_value name;
  napi_async_work* const work = &control_->work;
  if (napi_create_string_utf8(env_, "lowbit.run", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env_, nullptr, name, Execute, Complete, this, work) != napi_ok)
    return NodeFailure(env_);
  if (napi_queue_async_work(env_, *work) == napi_ok) {
    ++instance->in_pool;
    return {};
  }
  const Failure failure = NodeFailure(env_);
  napi_delete_async_work(env_, *work);
  *work = nullptr;
  return failure;
}

// A place has become free: those that wait follow, in their order. Those that were cancelled end here.
void RunWork::QueueWaiting(napi_env env) {
  for (;;) {
    Instance* const instance = Instance::Of(env);
    if (!instance || instance->waiting.empty() || instance->in_pool >= instance->most_in_pool) return;
    RunWork* const next = instance->waiting.front();
    instance->waiting.pop_front();
    const bool cancelled = next->control_->cancel.load(std::memory_order_relaxed);
    if (!cancelled && !next->EnterPool(instance)) continue;
    next->control_->cancel.store(true, std::memory_order_relaxed);
    next->ExecuteOnce();
    const std::shared_ptr<Strand> strand = next->strand_;
    next->Finish(env);
    if (strand) Advance(env, strand.get());
  }
}

Failure RunWork::Queue(napi_value* promise) {
  Instance* const instance = Instance::Of(env_);
  if (!instance || napi_create_promise(env_, &deferred_, promise) != napi_ok) return NodeFailure(env_);
  instance->running.reserve(instance->running.size() + 1);
  if (!strand_ || strand_->works.empty()) {
    if (Failure failure = HandOver()) return failure;
  }
  if (strand_) {
    strand_->works.push_back(this);
    reset_first_ = std::exchange(strand_->reset, false);
  }
  instance->running.push_back(this);  // has room
  control_->run = this;
  return {};
}

Failure RunWork::StartRun(napi_env env, const Runner& runner, const Views& inputs, const Views& outputs,
                          napi_value* promise, std::shared_ptr<RunControl>* control) {
  std::unique_ptr<RunWork> work(new (std::nothrow) RunWork(env, runner));
  if (!work) return kNoMemory;
  Failure failure = work->TakeInputs(inputs, true);
  work->outputs_.reserve(outputs.size());
  const std::vector<program::Port>& ports = work->program_->parts().outputs;
  for (size_t i = 0; !failure && i < outputs.size(); ++i) {
    Span<uint8_t> bytes;
    failure = OpenViewOf(env, outputs[i].value, {"output", i}, ports[i].bytes, &bytes);
    napi_ref reference;
    if (!failure && napi_create_reference(env, outputs[i].value, 1, &reference) != napi_ok)
      failure = NodeFailure(env);
    if (!failure) work->outputs_.push_back(reference);
  }
  if (!failure) failure = work->Queue(promise);
  if (failure) return failure;
  *control = work->control_;
  (void)work.release();  // Finish deletes it
  return {};
}

Failure RunWork::StartProfile(napi_env env, const Runner& runner, const Views& inputs, size_t runs,
                              napi_value* promise) {
  std::unique_ptr<RunWork> work(new (std::nothrow) RunWork(env, runner));
  if (!work) return kNoMemory;
  work->profile_runs_ = runs;
  Failure failure = work->TakeInputs(inputs, false);
  if (!failure) failure = work->Queue(promise);
  if (!failure) (void)work.release();
  return failure;
}

void RunWork::Execute(napi_env, void* data) { static_cast<RunWork*>(data)->ExecuteOnce(); }

// On whichever thread comes first.
void RunWork::ExecuteOnce() {
  const auto move = [this](Stage from, Stage to) {
    if (!strand_) return true;
    const std::lock_guard<std::mutex> lock(strand_->mutex);
    if (stage_ != from) return false;
    stage_ = to;
    strand_->changed.notify_all();
    return true;
  };
  if (!move(Stage::kWaiting, Stage::kRunning)) return;
  // Even where the run itself is cancelled: those after it count on it.
  if (reset_first_) program_->parts().state->Reset();
  const bool done = Attempt([this] {
    if (profile_runs_)
      RunProfile();
    else
      RunOnce();
  });
  if (!done) status_ = Status(Code::kLimit, kOutOfMemory);
  move(Stage::kRunning, Stage::kDone);
}

void RunWork::CatchUp(Strand* strand, program::State* state) {
  if (!strand) return;
  for (RunWork* work : strand->works) {
    work->ExecuteOnce();
    std::unique_lock<std::mutex> lock(strand->mutex);
    strand->changed.wait(lock, [work] { return work->stage_ == Stage::kDone; });
  }
  if (std::exchange(strand->reset, false)) state->Reset();
}

void RunWork::ResetState(Strand* strand, program::State* state) {
  if (strand->works.empty())
    state->Reset();
  else
    strand->reset = true;
}

void RunWork::RunOnce() {
  if (control_->cancel.load(std::memory_order_relaxed)) {
    status_ = Status(Code::kCancelled, "");
    return;
  }
  if (block_) {
    status_ = program_->Run(*block_, &control_->cancel, nullptr);
    return;
  }
  std::unique_ptr<program::Block> block = program_->Take();
  if (!block) {
    status_ = Status(Code::kLimit, kNoMemory.message);
    return;
  }
  uint8_t* place = staged_.data();
  for (size_t i = 0; i < program_->parts().inputs.size(); ++i) {
    program_->CopyIn(*block, i, place);
    place += Program::RoundUp(program_->parts().inputs[i].bytes);
  }
  status_ = program_->Run(*block, &control_->cancel, nullptr);
  for (size_t i = 0; status_.ok() && i < program_->parts().outputs.size(); ++i) {
    program_->CopyOut(*block, i, place);
    place += Program::RoundUp(program_->parts().outputs[i].bytes);
  }
  program_->Give(std::move(block));
}

void RunWork::RunProfile() {
  const size_t steps = program_->parts().steps.size();
  std::vector<double> times(steps * profile_runs_);
  std::unique_ptr<program::Block> block = program_->Take();
  if (!block) {
    status_ = Status(Code::kLimit, kNoMemory.message);
    return;
  }
  std::vector<AlignedBuffer> state;
  if (strand_ && !program_->SaveState(&state)) {
    program_->Give(std::move(block));
    status_ = Status(Code::kLimit, kNoMemory.message);
    return;
  }
  for (size_t run = 0; status_.ok() && run < profile_runs_; ++run) {
    const uint8_t* place = staged_.data();
    for (size_t i = 0; i < program_->parts().inputs.size(); ++i) {
      program_->CopyIn(*block, i, place);
      place += Program::RoundUp(program_->parts().inputs[i].bytes);
    }
    status_ = program_->Run(*block, &control_->cancel, times.data() + run * steps);
  }
  program_->Give(std::move(block));
  if (strand_) program_->RestoreState(state);
  if (!status_.ok()) return;
  micros_.resize(steps);
  std::vector<double> row(profile_runs_);
  for (size_t step = 0; step < steps; ++step) {
    for (size_t run = 0; run < profile_runs_; ++run) row[run] = times[run * steps + step];
    std::sort(row.begin(), row.end());
    micros_[step] = (row[(profile_runs_ - 1) / 2] + row[profile_runs_ / 2]) / 2;
  }
}

// The views are read again: JavaScript may have detached or resized what they lie in while the run went on.
Failure RunWork::FillOutputs() {
  const std::vector<program::Port>& ports = program_->parts().outputs;
  std::vector<Span<uint8_t>> views(outputs_.size());
  for (size_t i = 0; i < outputs_.size(); ++i) {
    napi_value view;
    if (napi_get_reference_value(env_, outputs_[i], &view) != napi_ok || !view) return NodeFailure(env_);
    if (Failure failure = OpenViewOf(env_, view, {"output", i}, ports[i].bytes, &views[i])) return failure;
  }
  const uint8_t* place = staged_.data() + program_->input_bytes();
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (block_)
      program_->CopyOut(*block_, i, views[i].data);
    else if (views[i].size)
      std::memcpy(views[i].data, place, views[i].size);
    place += Program::RoundUp(ports[i].bytes);
  }
  return {};
}

// False when JavaScript can no longer be called.
bool RunWork::Settle(const Failure& failure) {
  if (failure) {
    const napi_value error = MakeError(env_, failure);
    return error && napi_reject_deferred(env_, deferred_, error) == napi_ok;
  }
  napi_value result;
  if (profile_runs_) {
    void* data;
    napi_value buffer;
    if (napi_create_arraybuffer(env_, micros_.size() * sizeof(double), &data, &buffer) != napi_ok ||
        napi_create_typedarray(env_, napi_float64_array, micros_.size(), buffer, 0, &result) != napi_ok)
      return false;
    if (!micros_.empty()) std::memcpy(data, micros_.data(), micros_.size() * sizeof(double));
  } else if (napi_create_string_utf8(env_, status_.ok() ? "done" : "cancelled", NAPI_AUTO_LENGTH, &result) !=
             napi_ok) {
    return false;
  }
  return napi_resolve_deferred(env_, deferred_, result) == napi_ok;
}

void RunWork::Cancel(napi_env env, RunControl& control) {
  control.cancel.store(true, std::memory_order_relaxed);
  // One that no worker has begun ends at once; this fails, rightly, for one that goes on.
  if (control.work) {
    napi_cancel_async_work(env, control.work);
    return;
  }
  RunWork* const run = control.run;
  Instance* const instance = Instance::Of(env);
  if (!run || !instance || run->strand_) return;  // those of a strand end in their turn
  std::deque<RunWork*>& waiting = instance->waiting;
  const auto place = std::find(waiting.begin(), waiting.end(), run);
  if (place == waiting.end()) return;
  waiting.erase(place);
  run->ExecuteOnce();
  run->Finish(env);
}

void RunWork::CancelAll(napi_env env) {
  const Instance* const instance = Instance::Of(env);
  if (!instance) return;
  // From the end: those that wait leave the list, those in the pool stay until Complete.
  for (size_t i = instance->running.size(); i-- > 0;) {
    if (i < instance->running.size()) Cancel(env, *instance->running[i]->control_);
  }
}

void RunWork::Complete(napi_env env, napi_status status, void* data) {
  RunWork* const work = static_cast<RunWork*>(data);
  if (Instance* const instance = Instance::Of(env)) --instance->in_pool;
  if (status == napi_cancelled) {
    // No worker has begun it. A synchronous run may have done it; else it ends here, its flag being set.
    work->control_->cancel.store(true, std::memory_order_relaxed);
    work->ExecuteOnce();
  }
  const std::shared_ptr<Strand> strand = work->strand_;
  work->Finish(env);
  if (strand) Advance(env, strand.get());
  QueueWaiting(env);
}

// The first of the strand has ended: hands the next one over. Those that need no worker end here.
void RunWork::Advance(napi_env env, Strand* strand) {
  while (!strand->works.empty()) {
    RunWork* const next = strand->works.front();
    const bool cancelled = next->control_->cancel.load(std::memory_order_relaxed);
    // Where it was not done by a synchronous run.
    if (next->stage_ == Stage::kWaiting) {
      Failure failure;
      if (!cancelled && Instance::Of(env)) {
        failure = next->HandOver();
        if (!failure) return;
      }
      next->control_->cancel.store(true, std::memory_order_relaxed);
      next->ExecuteOnce();
      if (failure) next->status_ = Status(Code::kLimit, failure.message);
    }
    next->Finish(env);
  }
}

// Settles the promise of a run that has ended, and deletes the run.
void RunWork::Finish(napi_env env) {
  Instance* const instance = Instance::Of(env);
  if (instance) {
    std::vector<RunWork*>& running = instance->running;
    running.erase(std::remove(running.begin(), running.end(), this), running.end());
  }
  if (strand_) strand_->works.pop_front();
  // Also a run that had just ended leaves `outputs` alone: its caller is told that it was cancelled.
  if (control_->cancel.load(std::memory_order_relaxed) && status_.ok())
    status_ = Status(Code::kCancelled, "");
  Failure failure;
  if (status_.ok()) {
    if (!Attempt([&] { failure = FillOutputs(); })) failure = kNoMemory;
  } else if (status_.code() != Code::kCancelled) {
    failure = FailureOf(status_);
  } else if (profile_runs_) {
    failure = {kDisposed, "the profile was cancelled"};
  }
  // When the environment is ending, it waits for its runs: the others need not go on.
  if (!Settle(failure)) CancelAll(env);
  delete this;
}

}  // namespace lowbit::binding
