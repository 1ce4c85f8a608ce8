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

napi_value ConstructEmpty(napi_env env, napi_callback_info info) {
  napi_value self;
  LOWBIT_NAPI(env, napi_get_cb_info(env, info, nullptr, nullptr, &self, nullptr));
  return self;
}

std::string ViewName::Text() const {
  return index == kAlone ? what : std::string(what) + " " + std::to_string(index);
}

Failure ReadViews(napi_env env, napi_value array, const char* what, size_t count, const char* count_code,
                  Views* views) {
  constexpr uint32_t kMost = 1u << 20;
  bool is_array = false;
  if (napi_is_array(env, array, &is_array) != napi_ok) return NodeFailure(env);
  if (!is_array && count == kAny) return {kOptionInvalid, std::string("the ") + what + "s are not an array"};
  uint32_t length = 1;
  if (is_array && napi_get_array_length(env, array, &length) != napi_ok) return NodeFailure(env);
  if (count != kAny && length != count)
    return {count_code,
            "expected " + std::to_string(count) + " " + what + "s, got " + std::to_string(length)};
  if (length > kMost) return {kLimitExceeded, std::string("more than 1048576 ") + what + "s"};
  views->Resize(length);
  if (!is_array) {
    (*views)[0].value = array;
    return {};
  }
  for (uint32_t i = 0; i < length; ++i)
    if (napi_get_element(env, array, i, &(*views)[i].value) != napi_ok) return NodeFailure(env);
  return {};
}

Failure OpenView(napi_env env, napi_value view, ViewName name, Span<uint8_t>* bytes) {
  bool is_ordinary = false, is_detached = false;
  // Node leaves the type alone when it does not know it (Float16Array).
  auto type = static_cast<napi_typedarray_type>(-1);
  void* data = nullptr;
  size_t offset = 0, length = 0;
  napi_value buffer = nullptr;
  const napi_status read = napi_get_typedarray_info(env, view, &type, &length, &data, &buffer, &offset);
  if (read == napi_invalid_arg) return {kDtypeMismatch, name.Text() + " is not a typed array"};
  if (read != napi_ok) return NodeFailure(env);
  const size_t element = ElementBytes(type);
  if (element == 0) return {kDtypeMismatch, name.Text() + " is an array of a kind that lowbit does not know"};
  if (napi_is_arraybuffer(env, buffer, &is_ordinary) != napi_ok) return NodeFailure(env);
  if (!is_ordinary) return {kOptionInvalid, name.Text() + " lies in a SharedArrayBuffer; copy it first"};
  if (length == 0) {
    *bytes = {nullptr, 0};
    if (napi_is_detached_arraybuffer(env, buffer, &is_detached) != napi_ok) return NodeFailure(env);
    if (is_detached) return {kOptionInvalid, name.Text() + " lies in a detached ArrayBuffer"};
    return {};
  }
  *bytes = {static_cast<uint8_t*>(data), length * element};
  return {};
}

Failure OpenViewOf(napi_env env, napi_value view, ViewName name, size_t expected, Span<uint8_t>* bytes) {
  if (Failure failure = OpenView(env, view, name, bytes)) return failure;
  if (bytes->size != expected)
    return {kShapeMismatch, name.Text() + " has " + std::to_string(bytes->size) + " bytes, expected " +
                                std::to_string(expected)};
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
