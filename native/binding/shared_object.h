// The JavaScript class Shared: what the programs of one model share.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <map>
#include <memory>

#include "base/aligned_buffer.h"
#include "binding/errors.h"
#include "binding/instance.h"
#include "binding/strand.h"
#include "program/state.h"
#include "program/weights.h"

namespace lowbit::binding {

// Owned by the JavaScript object; programs and runs hold the parts.
struct SharedObject {
  std::shared_ptr<program::Weights> weights = std::make_shared<program::Weights>();
  std::shared_ptr<program::State> state = std::make_shared<program::State>();
  std::shared_ptr<Strand> strand = std::make_shared<Strand>();
  std::map<uint32_t, AlignedBuffer> saved;
};

// Defines the class; null, with an exception pending, if that failed.
napi_value DefineShared(napi_env env, Instance* instance);

// createShared()
napi_value CreateShared(napi_env env, napi_callback_info info);

// An argument, which may be anything.
Failure UnwrapShared(napi_env env, napi_value value, SharedObject** shared);

}  // namespace lowbit::binding
