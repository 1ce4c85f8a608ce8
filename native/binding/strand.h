// The order of the runs of a model with state: one after the other, in the order of the calls, whichever of the
// model's programs they run.
//
// Only the first of the strand is with libuv, so that no thread of its pool waits for another. A synchronous
// run does what stands before it on its own thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>

namespace lowbit::binding {

class RunWork;

struct Strand {
  // The JavaScript thread's.
  std::deque<RunWork*> works;  // begun or not, but not settled
  bool reset = false;          // the next run that is appended begins with a new state

  // Guards RunWork::stage_, and tells of its changes.
  std::mutex mutex;
  std::condition_variable changed;
};

}  // namespace lowbit::binding
