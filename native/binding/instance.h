// What one environment (the main thread, or a worker thread) has of its own.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <deque>
#include <vector>

namespace lowbit::binding {

class RunWork;

struct Instance {
  napi_ref program_class = nullptr, run_class = nullptr, shared_class = nullptr;
  std::vector<RunWork*> running;  // those that have not ended
  // At most `most_in_pool` runs are in libuv's pool, which the process needs for its files too; the others
  // wait here and follow, in the order of their calls, as those end.
  std::deque<RunWork*> waiting;
  size_t in_pool = 0, most_in_pool = 2;

  // Null when the environment has gone.
  static Instance* Of(napi_env env);
};

}  // namespace lowbit::binding
