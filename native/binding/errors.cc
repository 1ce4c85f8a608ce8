// Codes and Error objects.
#include "binding/errors.h"

namespace lowbit::binding {

const char* ErrorCode(Code code) {
  switch (code) {
    case Code::kOk:
      return nullptr;
    case Code::kInvalid:
      return "FILE_INVALID";
    case Code::kUnsupported:
      return "OPERATOR_UNSUPPORTED";
    case Code::kTypeMismatch:
      return "DTYPE_UNSUPPORTED";
    case Code::kShapeMismatch:
      return kShapeMismatch;
    case Code::kLimit:
      return kLimitExceeded;
    case Code::kNotFinite:
      return "NOT_FINITE";
    case Code::kData:
      return "DATA_INVALID";
    case Code::kCancelled:
      break;  // a run that was cancelled ends, it does not fail
  }
  return kInternal;
}

Failure FailureOf(const Status& status) { return {ErrorCode(status.code()), status.message()}; }

napi_value MakeError(napi_env env, const Failure& failure) {
  napi_value code, message, error;
  if (napi_create_string_utf8(env, failure.code, NAPI_AUTO_LENGTH, &code) != napi_ok ||
      napi_create_string_utf8(env, failure.message.c_str(), failure.message.size(), &message) != napi_ok ||
      napi_create_error(env, code, message, &error) != napi_ok)
    return nullptr;
  return error;
}

napi_value Throw(napi_env env, const Failure& failure) {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) != napi_ok || pending) return nullptr;
  const napi_value error = MakeError(env, failure);
  if (error) napi_throw(env, error);
  return nullptr;
}

napi_value ThrowLast(napi_env env) {
  const napi_extended_error_info* info = nullptr;
  const char* words = "unknown";
  if (napi_get_last_error_info(env, &info) == napi_ok && info && info->error_message)
    words = info->error_message;
  return Throw(env, {kInternal, std::string("a call of Node-API failed: ") + words});
}

}  // namespace lowbit::binding
