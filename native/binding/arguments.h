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

// What a receiver of class T wraps. V8 calls the methods of a class on objects of that class alone; those that
// a script constructed wrap nothing.
template <typename T>
Failure Unwrap(napi_env env, napi_value self, T** object) {
  void* data = nullptr;
  if (napi_unwrap(env, self, &data) != napi_ok || !data)
    return {kOptionInvalid, "the method was called on another object"};
  *object = static_cast<T*>(data);
  return {};
}

// A method of a class, and the constructor of all classes. Objects made by hand stay untagged, so that every method refuses them.
inline napi_property_descriptor Method(const char* name, napi_callback callback) {
  return {name, nullptr, callback, nullptr, nullptr, nullptr, napi_default_method, nullptr};
}
napi_value ConstructEmpty(napi_env env, napi_callback_info info);

// What messages call a view: "input 3", or what it is where there is only one. Made into text by failures alone.
constexpr size_t kAlone = SIZE_MAX;
struct ViewName {
  const char* what;
  size_t index = kAlone;
  std::string Text() const;
};

// The elements of an array, and the memory of each once it was opened. A few take no memory of the heap.
struct View {
  napi_value value = nullptr;
  Span<uint8_t> bytes;
};
class Views {
 public:
  void Resize(size_t count) {
    if (count > kFew) many_.resize(count);
    count_ = count;
  }
  size_t size() const { return count_; }
  View& operator[](size_t i) { return count_ > kFew ? many_[i] : few_[i]; }
  const View& operator[](size_t i) const { return count_ > kFew ? many_[i] : few_[i]; }

 private:
  static constexpr size_t kFew = 4;
  size_t count_ = 0;
  View few_[kFew];
  std::vector<View> many_;
};

// First phase. The elements of an array; anything else stands for a list of one, unless `count` is kAny (to take an
// element from an array costs as much as all else that is done for it). `what` is the singular: "input". A `count` of kAny takes any number.
constexpr size_t kAny = SIZE_MAX;
Failure ReadViews(napi_env env, napi_value array, const char* what, size_t count, const char* count_code,
                  Views* views);

// Second phase: memory of a typed array over an ordinary ArrayBuffer, as it is now. An empty one has a null
// pointer. Where the buffer can be resized, the length is that of this moment, and 0 for an array that has
// come to lie outside; nothing of JavaScript may run before the memory was used.
Failure OpenView(napi_env env, napi_value view, ViewName name, Span<uint8_t>* bytes);
Failure OpenViewOf(napi_env env, napi_value view, ViewName name, size_t expected, Span<uint8_t>* bytes);

// A whole number in [low, high]. `what` names it in messages.
Failure ReadInteger(napi_env env, napi_value value, const char* what, double low, double high,
                    double* number);
Failure ReadString(napi_env env, napi_value value, const char* what, std::string* text);
// The field of an options object; null when it is undefined.
Failure ReadField(napi_env env, napi_value object, const char* name, napi_value* field);

// The failure of a Node-API call. Clears nothing: an exception of JavaScript stays pending and wins in Throw.
Failure NodeFailure(napi_env env);

}  // namespace lowbit::binding
