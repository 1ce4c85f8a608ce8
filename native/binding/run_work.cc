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

constexpr size_t RoundUp(size_t bytes) { return (bytes + 63) / 64 * 64; }

std::string Name(const char* what, size_t i) { return what + std::string(" ") + std::to_string(i); }

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
  if (work_) napi_delete_async_work(env_, work_);
  control_->run = nullptr;
}

Failure RunWork::TakeInputs(const std::vector<napi_value>& inputs, bool may_hold_block) {
  const std::vector<program::Port>& ports = program_->parts().inputs;
  if (may_hold_block) block_ = program_->TakeIfFew();
  if (!block_ && !staged_.Allocate(program_->input_bytes() + program_->output_bytes())) return kNoMemory;
  uint8_t* place = staged_.data();
  for (size_t i = 0; i < inputs.size(); ++i) {
    Span<uint8_t> bytes;
    if (Failure failure = OpenViewOf(env_, inputs[i], Name("input", i), ports[i].bytes, &bytes))
      return failure;
    if (block_) {
      program_->CopyIn(*block_, i, bytes.data);
    } else {
      if (bytes.size) std::memcpy(place, bytes.data, bytes.size);
      place += RoundUp(bytes.size);
    }
  }
  return {};
}

Failure RunWork::Queue(napi_value* promise) {
  Instance* const instance = Instance::Of(env_);
  napi_value name;
  if (instance && instance->running.size() == instance->running.capacity())
    instance->running.reserve(2 * instance->running.size() + 8);
  if (!instance || napi_create_string_utf8(env_, "lowbit.run", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env_, nullptr, name, Execute, Complete, this, &work_) != napi_ok ||
      napi_create_promise(env_, &deferred_, promise) != napi_ok)
    return NodeFailure(env_);
  if (instance->in_pool < instance->most_in_pool) {  // then none waits
    if (napi_queue_async_work(env_, work_) != napi_ok) return NodeFailure(env_);
    in_pool_ = true;
    ++instance->in_pool;
  }
  instance->running.push_back(this);  // has room
  control_->run = this;
  return {};
}

Failure RunWork::StartRun(napi_env env, std::shared_ptr<program::Program> program,
                          const std::vector<napi_value>& inputs, const std::vector<napi_value>& outputs,
                          napi_value* promise, std::shared_ptr<RunControl>* control) {
  std::unique_ptr<RunWork> work(new (std::nothrow) RunWork(env, std::move(program)));
  if (!work) return kNoMemory;
  Failure failure = work->TakeInputs(inputs, true);
  work->outputs_.reserve(outputs.size());
  const std::vector<program::Port>& ports = work->program_->parts().outputs;
  for (size_t i = 0; !failure && i < outputs.size(); ++i) {
    Span<uint8_t> bytes;
    failure = OpenViewOf(env, outputs[i], Name("output", i), ports[i].bytes, &bytes);
    napi_ref reference;
    if (!failure && napi_create_reference(env, outputs[i], 1, &reference) != napi_ok)
      failure = NodeFailure(env);
    if (!failure) work->outputs_.push_back(reference);
  }
  if (!failure) failure = work->Queue(promise);
  if (failure) return failure;
  *control = work->control_;
  (void)work.release();  // Complete deletes it
  return {};
}

Failure RunWork::StartProfile(napi_env env, std::shared_ptr<program::Program> program,
                              const std::vector<napi_value>& inputs, size_t runs, napi_value* promise) {
  std::unique_ptr<RunWork> work(new (std::nothrow) RunWork(env, std::move(program)));
  if (!work) return kNoMemory;
  work->profile_runs_ = runs;
  Failure failure = work->TakeInputs(inputs, false);
  if (!failure) failure = work->Queue(promise);
  if (!failure) (void)work.release();
  return failure;
}

void RunWork::Execute(napi_env, void* data) {
  RunWork* const work = static_cast<RunWork*>(data);
  const bool done = Attempt([work] {
    if (work->profile_runs_)
      work->RunProfile();
    else
      work->RunOnce();
  });
  if (!done) work->status_ = Status(Code::kLimit, kOutOfMemory);
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
    place += RoundUp(program_->parts().inputs[i].bytes);
  }
  status_ = program_->Run(*block, &control_->cancel, nullptr);
  for (size_t i = 0; status_.ok() && i < program_->parts().outputs.size(); ++i) {
    program_->CopyOut(*block, i, place);
    place += RoundUp(program_->parts().outputs[i].bytes);
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
  for (size_t run = 0; status_.ok() && run < profile_runs_; ++run) {
    const uint8_t* place = staged_.data();
    for (size_t i = 0; i < program_->parts().inputs.size(); ++i) {
      program_->CopyIn(*block, i, place);
      place += RoundUp(program_->parts().inputs[i].bytes);
    }
    status_ = program_->Run(*block, &control_->cancel, times.data() + run * steps);
  }
  program_->Give(std::move(block));
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
    if (Failure failure = OpenViewOf(env_, view, Name("output", i), ports[i].bytes, &views[i]))
      return failure;
  }
  const uint8_t* place = staged_.data() + program_->input_bytes();
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (block_)
      program_->CopyOut(*block_, i, views[i].data);
    else if (views[i].size)
      std::memcpy(views[i].data, place, views[i].size);
    place += RoundUp(ports[i].bytes);
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

// The result of a run that has ended or never began.
Failure RunWork::Outcome() {
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
  return failure;
}

bool RunWork::End() {
  if (Instance* const instance = Instance::Of(env_)) {
    std::vector<RunWork*>& running = instance->running;
    running.erase(std::remove(running.begin(), running.end(), this), running.end());
    if (in_pool_) --instance->in_pool;
  }
  const bool settled = Settle(Outcome());
  delete this;
  return settled;
}

void RunWork::Cancel(RunControl& control) {
  control.cancel.store(true, std::memory_order_relaxed);
  RunWork* const run = control.run;
  if (!run) return;
  if (run->in_pool_) {
    // One that no worker has begun ends at once; this fails, rightly, for one that goes on.
    napi_cancel_async_work(run->env_, run->work_);
  } else {
    run->End();
  }
}

void RunWork::CancelAll(napi_env env) {
  const Instance* const instance = Instance::Of(env);
  if (!instance) return;
  // From the end: those that wait leave the list, those in the pool stay until Complete.
  for (size_t i = instance->running.size(); i-- > 0;) Cancel(*instance->running[i]->control_);
}

// Hands the first runs that wait to libuv, as many as may be there.
void RunWork::QueueWaiting(napi_env env, Instance* instance) {
  while (instance->in_pool < instance->most_in_pool) {
    const std::vector<RunWork*>& running = instance->running;
    const auto next =
        std::find_if(running.begin(), running.end(), [](const RunWork* run) { return !run->in_pool_; });
    if (next == running.end()) return;
    RunWork* const run = *next;
    if (napi_queue_async_work(env, run->work_) == napi_ok) {
      run->in_pool_ = true;
      ++instance->in_pool;
    } else {
      run->control_->cancel.store(true, std::memory_order_relaxed);
      run->End();
    }
  }
}

void RunWork::Complete(napi_env env, napi_status status, void* data) {
  RunWork* const work = static_cast<RunWork*>(data);
  if (status == napi_cancelled) work->status_ = Status(Code::kCancelled, "");
  // When the environment is ending, it waits for its runs: the others need not go on.
  if (!work->End()) CancelAll(env);
  if (Instance* const instance = Instance::Of(env)) QueueWaiting(env, instance);
}

}  // namespace lowbit::binding
