// Failures on their way to JavaScript: the one map from Status to the codes of lib/errors.ts.
#pragma once

#include <node_api.h>

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

// Throws what a Node-API call left behind: the pending exception, or INTERNAL with Node's words.
napi_value ThrowLast(napi_env env);

// Leaves the callback if a Node-API call fails.
#define LOWBIT_NAPI(env, call)                                       \
  do {                                                               \
    if ((call) != napi_ok) return ::lowbit::binding::ThrowLast(env); \
  } while (false)

}  // namespace lowbit::binding
