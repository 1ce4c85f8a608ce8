// Reads what JavaScript hands in. Two phases: first everything that may run JavaScript (getters, proxies),
// then the pointers and lengths, which stay valid because nothing of JavaScript runs until the native call is
// through.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/span.h"
#include "binding/errors.h"

namespace lowbit::binding {

// The receiver and exactly `count` arguments (at most 4).
struct Call {
  napi_value self = nullptr;
  napi_value args[4] = {};
  size_t count = 0;  // as given
};
Failure ReadCall(napi_env env, napi_callback_info info, size_t least, size_t most, const char* usage,
                 Call* call);

// First phase. The elements of an array that should be views of ordinary ArrayBuffers, each of them checked
// to be one. `what` is the singular: "input". A `count` of kAny takes any number.
constexpr size_t kAny = SIZE_MAX;
Failure ReadViews(napi_env env, napi_value array, const char* what, size_t count, const char* count_code,
                  std::vector<napi_value>* views);
Failure CheckView(napi_env env, napi_value view, const std::string& what);

// Second phase: memory of a view, read now. An empty view has a null pointer.
Failure OpenView(napi_env env, napi_value view, const std::string& what, Span<uint8_t>* bytes);
Failure OpenViewOf(napi_env env, napi_value view, const std::string& what, size_t expected,
                   Span<uint8_t>* bytes);

// A whole number in [low, high]. `what` names it in messages.
Failure ReadInteger(napi_env env, napi_value value, const char* what, double low, double high,
                    double* number);
Failure ReadString(napi_env env, napi_value value, const char* what, std::string* text);
// The field of an options object; null when it is undefined.
Failure ReadField(napi_env env, napi_value object, const char* name, napi_value* field);

// The failure of a Node-API call. Clears nothing: an exception of JavaScript stays pending and wins in Throw.
Failure NodeFailure(napi_env env);

}  // namespace lowbit::binding
