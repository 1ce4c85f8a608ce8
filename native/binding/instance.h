// What one environment (the main thread, or a worker thread) has of its own.
#pragma once

#include <node_api.h>

#include <vector>

namespace lowbit::binding {

class RunWork;

struct Instance {
  napi_ref program_class = nullptr, run_class = nullptr;
  napi_ref resizable = nullptr;  // the getter ArrayBuffer.prototype.resizable; null where there is none
  std::vector<RunWork*> running;

  // Null when the environment has gone.
  static Instance* Of(napi_env env);
};

}  // namespace lowbit::binding
