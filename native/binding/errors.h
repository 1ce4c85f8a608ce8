// Failures on their way to JavaScript: the one map from Status to the codes of lib/errors.ts.
#pragma once

#include <node_api.h>

#include <new>
#include <stdexcept>
#include <string>

#include "base/status.h"

namespace lowbit::binding {

// A code of lib/errors.ts and a sentence; no code = no failure.
struct Failure {
  const char* code = nullptr;
  std::string message;
  explicit operator bool() const { return code != nullptr; }
};

// Null for kOk.
const char* ErrorCode(Code code);
Failure FailureOf(const Status& status);

constexpr const char* kDisposed = "DISPOSED";
constexpr const char* kDtypeMismatch = "DTYPE_MISMATCH";
constexpr const char* kInputCount = "INPUT_COUNT";
constexpr const char* kInternal = "INTERNAL";
constexpr const char* kLimitExceeded = "LIMIT_EXCEEDED";
constexpr const char* kOptionInvalid = "OPTION_INVALID";
constexpr const char* kShapeMismatch = "SHAPE_MISMATCH";

// An Error with the field `code`; null when JavaScript can no longer be called.
napi_value MakeError(napi_env env, const Failure& failure);

// Throws that Error, unless an exception is pending already. Returns null, for `return Throw(…)`.
napi_value Throw(napi_env env, const Failure& failure);

// A function of the addon. No exception may pass through Node; that of a failed allocation is the only one
// there is, and becomes LIMIT_EXCEEDED. The message is short: it takes no memory.
constexpr const char* kOutOfMemory = "out of memory";
template <napi_value (*function)(napi_env, napi_callback_info)>
napi_value Guarded(napi_env env, napi_callback_info info) noexcept {
  try {
    return function(env, info);
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  return Throw(env, {kLimitExceeded, kOutOfMemory});
}

// Throws what a Node-API call left behind: the pending exception, or INTERNAL with Node's words.
napi_value ThrowLast(napi_env env);

// Leaves the callback if a Node-API call fails.
#define LOWBIT_NAPI(env, call)                                       \
  do {                                                               \
    if ((call) != napi_ok) return ::lowbit::binding::ThrowLast(env); \
  } while (false)

}  // namespace lowbit::binding
