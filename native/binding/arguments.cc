// Checks of arguments. See arguments.h for the two phases.
#include "binding/arguments.h"

#include <cmath>

#include "binding/instance.h"

namespace lowbit::binding {
namespace {

// Bytes of one element; 0 for a kind of array that this build does not know.
size_t ElementBytes(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      return 0;
  }
}

// The parts of a typed array or DataView. Runs no JavaScript.
Failure TakeApart(napi_env env, napi_value view, const std::string& what, Span<uint8_t>* bytes,
                  napi_value* buffer) {
  bool is_typed = false, is_data_view = false;
  if (napi_is_typedarray(env, view, &is_typed) != napi_ok) return NodeFailure(env);
  void* data = nullptr;
  size_t offset = 0, size = 0;
  if (is_typed) {
    // Node leaves the type alone when it does not know it (Float16Array).
    auto type = static_cast<napi_typedarray_type>(-1);
    if (napi_get_typedarray_info(env, view, &type, &size, &data, buffer, &offset) != napi_ok)
      return NodeFailure(env);
    const size_t element = ElementBytes(type);
    if (element == 0) return {kDtypeMismatch, what + " is an array of a kind that lowbit does not know"};
    size *= element;
  } else {
    if (napi_is_dataview(env, view, &is_data_view) != napi_ok) return NodeFailure(env);
    if (!is_data_view) return {kDtypeMismatch, what + " is not a typed array"};
    if (napi_get_dataview_info(env, view, &size, &data, buffer, &offset) != napi_ok) return NodeFailure(env);
  }
  *bytes = {size ? static_cast<uint8_t*>(data) : nullptr, size};
  return {};
}

}  // namespace

Instance* Instance::Of(napi_env env) {
  void* data = nullptr;
  return napi_get_instance_data(env, &data) == napi_ok ? static_cast<Instance*>(data) : nullptr;
}

Failure NodeFailure(napi_env env) {
  const napi_extended_error_info* info = nullptr;
  const bool has = napi_get_last_error_info(env, &info) == napi_ok && info && info->error_message;
  return {kInternal, std::string("a call of Node-API failed: ") + (has ? info->error_message : "unknown")};
}

Failure ReadCall(napi_env env, napi_callback_info info, size_t least, size_t most, const char* usage,
                 Call* call) {
  call->count = sizeof call->args / sizeof call->args[0];
  if (napi_get_cb_info(env, info, &call->count, call->args, &call->self, nullptr) != napi_ok)
    return NodeFailure(env);
  if (call->count < least || call->count > most)
    return {kOptionInvalid,
            std::string(usage) + ": " + std::to_string(call->count) + " arguments were given"};
  return {};
}

Failure CheckView(napi_env env, napi_value view, const std::string& what) {
  Span<uint8_t> bytes;
  napi_value buffer = nullptr;
  if (Failure failure = TakeApart(env, view, what, &bytes, &buffer)) return failure;
  bool ordinary = false, detached = false;
  if (napi_is_arraybuffer(env, buffer, &ordinary) != napi_ok) return NodeFailure(env);
  if (!ordinary) return {kOptionInvalid, what + " lies in a SharedArrayBuffer; copy it first"};
  if (napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok) return NodeFailure(env);
  if (detached) return {kOptionInvalid, what + " lies in a detached ArrayBuffer"};
  const Instance* const instance = Instance::Of(env);
  if (instance && instance->resizable) {
    napi_value getter, answer;
    bool resizable = false;
    if (napi_get_reference_value(env, instance->resizable, &getter) != napi_ok ||
        napi_call_function(env, buffer, getter, 0, nullptr, &answer) != napi_ok ||
        napi_get_value_bool(env, answer, &resizable) != napi_ok)
      return NodeFailure(env);
    if (resizable) return {kOptionInvalid, what + " lies in a resizable ArrayBuffer; copy it first"};
  }
  return {};
}

Failure ReadViews(napi_env env, napi_value array, const char* what, size_t count, const char* count_code,
                  std::vector<napi_value>* views) {
  constexpr uint32_t kMost = 1u << 20;
  bool is_array = false;
  if (napi_is_array(env, array, &is_array) != napi_ok) return NodeFailure(env);
  if (!is_array) return {kOptionInvalid, std::string("the ") + what + "s are not an array"};
  uint32_t length = 0;
  if (napi_get_array_length(env, array, &length) != napi_ok) return NodeFailure(env);
  if (count != kAny && length != count)
    return {count_code,
            "expected " + std::to_string(count) + " " + what + "s, got " + std::to_string(length)};
  if (length > kMost) return {kLimitExceeded, std::string("more than 1048576 ") + what + "s"};
  views->resize(length);
  for (uint32_t i = 0; i < length; ++i)
    if (napi_get_element(env, array, i, &(*views)[i]) != napi_ok) return NodeFailure(env);
  for (uint32_t i = 0; i < length; ++i)
    if (Failure failure = CheckView(env, (*views)[i], std::string(what) + " " + std::to_string(i)))
      return failure;
  return {};
}

Failure OpenView(napi_env env, napi_value view, const std::string& what, Span<uint8_t>* bytes) {
  napi_value buffer = nullptr;
  if (Failure failure = TakeApart(env, view, what, bytes, &buffer)) return failure;
  bool detached = false;
  if (napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok) return NodeFailure(env);
  if (detached) return {kOptionInvalid, what + " lies in a detached ArrayBuffer"};
  return {};
}

Failure OpenViewOf(napi_env env, napi_value view, const std::string& what, size_t expected,
                   Span<uint8_t>* bytes) {
  if (Failure failure = OpenView(env, view, what, bytes)) return failure;
  if (bytes->size != expected)
    return {kShapeMismatch,
            what + " has " + std::to_string(bytes->size) + " bytes, expected " + std::to_string(expected)};
  return {};
}

Failure ReadInteger(napi_env env, napi_value value, const char* what, double low, double high,
                    double* number) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return NodeFailure(env);
  double read = 0;
  if (type == napi_number && napi_get_value_double(env, value, &read) != napi_ok) return NodeFailure(env);
  if (type != napi_number || !(read >= low && read <= high) || read != std::floor(read))
    return {kOptionInvalid, std::string(what) + " is not a whole number from " +
                                std::to_string(static_cast<int64_t>(low)) + " to " +
                                std::to_string(static_cast<int64_t>(high))};
  *number = read;
  return {};
}

Failure ReadString(napi_env env, napi_value value, const char* what, std::string* text) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return NodeFailure(env);
  if (type != napi_string) return {kOptionInvalid, std::string(what) + " is not a string"};
  char buffer[64];  // longer texts are cut: no name that is looked up is as long
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, buffer, sizeof buffer, &length) != napi_ok)
    return NodeFailure(env);
  text->assign(buffer, length);
  return {};
}

Failure ReadField(napi_env env, napi_value object, const char* name, napi_value* field) {
  napi_valuetype type;
  *field = nullptr;
  napi_value value;
  if (napi_get_named_property(env, object, name, &value) != napi_ok ||
      napi_typeof(env, value, &type) != napi_ok)
    return NodeFailure(env);
  if (type != napi_undefined) *field = value;
  return {};
}

}  // namespace lowbit::binding
