// A run (or a profile) on another thread. Its worker sees native memory only; JavaScript is met before and
// after.
#pragma once

#include <node_api.h>

#include <atomic>
#include <memory>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/status.h"
#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/instance.h"
#include "binding/strand.h"
#include "program/run.h"

namespace lowbit::binding {

// What belongs to a program: itself, and the order of the runs of its model where it has a state (else null).
struct Runner {
  std::shared_ptr<program::Program> program;
  std::shared_ptr<Strand> strand;
};

class RunWork;

// What the run and its JavaScript object share.
struct RunControl {
  std::atomic<bool> cancel{false};
  // The JavaScript thread's: null while libuv does not have it, null when the run has ended.
  napi_async_work work = nullptr;
  RunWork* run = nullptr;
};

class RunWork {
 public:
  // Checks and copies the inputs, then starts a run that fills `outputs`. Gives the promise. On failure
  // nothing was started.
  static Failure StartRun(napi_env env, const Runner& runner, const Views& inputs, const Views& outputs,
                          napi_value* promise, std::shared_ptr<RunControl>* control);

  // Likewise: `runs` timed runs. The promise gives a Float64Array: median microseconds of each step.
  static Failure StartProfile(napi_env env, const Runner& runner, const Views& inputs, size_t runs,
                              napi_value* promise);

  // Before a synchronous run: all runs that were started earlier have ended when this returns, and the state
  // is new if that was asked for since. Nothing where there is no strand.
  static void CatchUp(Strand* strand, program::State* state);
  // Runs that are started later find a new state.
  static void ResetState(Strand* strand, program::State* state);

  // Cancels a run that may have ended: one that waits for a place ends at once, one that is at work after its
  // step.
  static void Cancel(napi_env env, RunControl& control);
  // Cancels all runs of an environment.
  static void CancelAll(napi_env env);

  ~RunWork();

 private:
  RunWork(napi_env env, const Runner& runner) : env_(env), program_(runner.program), strand_(runner.strand) {}

  Failure TakeInputs(const Views& inputs, bool may_hold_block);
  Failure Queue(napi_value* promise);
  Failure HandOver();
  Failure EnterPool(Instance* instance);
  static void QueueWaiting(napi_env env);
  static void Advance(napi_env env, Strand* strand);
  void ExecuteOnce();
  void Finish(napi_env env);
  static void Execute(napi_env env, void* data);
  static void Complete(napi_env env, napi_status status, void* data);
  void RunOnce();
  void RunProfile();
  Failure FillOutputs();
  bool Settle(const Failure& failure);

  const napi_env env_;
  const std::shared_ptr<program::Program> program_;
  const std::shared_ptr<Strand> strand_;
  enum class Stage { kWaiting, kRunning, kDone } stage_ = Stage::kWaiting;  // used where there is a strand
  bool reset_first_ = false;
  const std::shared_ptr<RunControl> control_ = std::make_shared<RunControl>();
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
