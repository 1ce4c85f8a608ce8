// A run (or a profile) on another thread. Its worker sees native memory only; JavaScript is met before and
// after.
#pragma once

#include <node_api.h>

#include <atomic>
#include <memory>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/status.h"
#include "binding/errors.h"
#include "binding/instance.h"
#include "program/run.h"

namespace lowbit::binding {

class RunWork;

// What the run and its JavaScript object share.
struct RunControl {
  std::atomic<bool> cancel{false};
  RunWork* run = nullptr;  // the JavaScript thread's; null when the run has ended
};

class RunWork {
 public:
  // Checks and copies the inputs, then starts a run that fills `outputs`. Gives the promise. On failure
  // nothing was started.
  static Failure StartRun(napi_env env, std::shared_ptr<program::Program> program,
                          const std::vector<napi_value>& inputs, const std::vector<napi_value>& outputs,
                          napi_value* promise, std::shared_ptr<RunControl>* control);

  // Likewise: `runs` timed runs. The promise gives a Float64Array: median microseconds of each step.
  static Failure StartProfile(napi_env env, std::shared_ptr<program::Program> program,
                              const std::vector<napi_value>& inputs, size_t runs, napi_value* promise);

  // Cancels a run that may have ended: one that waits ends at once, one that is at work after its step.
  static void Cancel(RunControl& control);

  // Cancels all runs of an environment.
  static void CancelAll(napi_env env);

  ~RunWork();

 private:
  RunWork(napi_env env, std::shared_ptr<program::Program> program)
      : env_(env), program_(std::move(program)) {}

  Failure TakeInputs(const std::vector<napi_value>& inputs, bool may_hold_block);
  Failure Queue(napi_value* promise);
  static void Execute(napi_env env, void* data);
  static void Complete(napi_env env, napi_status status, void* data);
  void RunOnce();
  void RunProfile();
  Failure FillOutputs();
  Failure Outcome();
  bool Settle(const Failure& failure);
  // Takes the run from the environment's list, settles its promise and deletes it; false when JavaScript can
  // no longer be called.
  bool End();
  static void QueueWaiting(napi_env env, Instance* instance);

  const napi_env env_;
  const std::shared_ptr<program::Program> program_;
  const std::shared_ptr<RunControl> control_ = std::make_shared<RunControl>();
  napi_async_work work_ = nullptr;
  bool in_pool_ = false;
  napi_deferred deferred_ = nullptr;
  std::vector<napi_ref> outputs_;
  // Either a block that holds the inputs already, or copies: then the block is taken and given back by the
  // worker, so that a long queue of runs holds no arenas.
  std::unique_ptr<program::Block> block_;
  AlignedBuffer staged_;  // inputs, then outputs, each at a multiple of 64
  Status status_;
  size_t profile_runs_ = 0;
  std::vector<double> micros_;
};

}  // namespace lowbit::binding
