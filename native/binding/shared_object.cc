// Shared: resetState, saveState, restoreState.
#include "binding/shared_object.h"

#include <utility>

#include "binding/arguments.h"
#include "binding/run_work.h"

namespace lowbit::binding {
namespace {

// Of an argument; receivers need none (Unwrap).
constexpr napi_type_tag kSharedTag = {0x6c6f77626974c0de, 0x51e7a40c92d8b36f};

void FinalizeShared(napi_env, void* data, void*) { delete static_cast<SharedObject*>(data); }

napi_value ResetState(napi_env env, napi_callback_info info) {
  Call call;
  SharedObject* shared = nullptr;
  if (Failure failure = ReadCall(env, info, 0, 0, "resetState()", &call)) return Throw(env, failure);
  if (Failure failure = Unwrap(env, call.self, &shared)) return Throw(env, failure);
  RunWork::ResetState(shared->strand.get(), shared->state.get());
  return nullptr;
}

// Keeps the state that runs until now have led to; those that have not ended are run on this thread.
napi_value SaveState(napi_env env, napi_callback_info info) {
  Call call;
  SharedObject* shared = nullptr;
  if (Failure failure = ReadCall(env, info, 0, 0, "saveState()", &call)) return Throw(env, failure);
  if (Failure failure = Unwrap(env, call.self, &shared)) return Throw(env, failure);
  RunWork::CatchUp(shared->strand.get(), shared->state.get());
  shared->saved.clear();
  if (!shared->state->Save(&shared->saved)) return Throw(env, {kLimitExceeded, kOutOfMemory});
  return nullptr;
}

napi_value RestoreState(napi_env env, napi_callback_info info) {
  Call call;
  SharedObject* shared = nullptr;
  if (Failure failure = ReadCall(env, info, 0, 0, "restoreState()", &call)) return Throw(env, failure);
  if (Failure failure = Unwrap(env, call.self, &shared)) return Throw(env, failure);
  RunWork::CatchUp(shared->strand.get(), shared->state.get());
  shared->state->Restore(shared->saved);
  shared->saved.clear();
  return nullptr;
}

}  // namespace

napi_value DefineShared(napi_env env, Instance* instance) {
  const napi_property_descriptor shared[] = {
      Method("resetState", Guarded<ResetState>),
      Method("saveState", Guarded<SaveState>),
      Method("restoreState", Guarded<RestoreState>),
  };
  napi_value shared_class;
  LOWBIT_NAPI(env, napi_define_class(env, "NativeShared", NAPI_AUTO_LENGTH, ConstructEmpty, nullptr,
                                     sizeof shared / sizeof shared[0], shared, &shared_class));
  LOWBIT_NAPI(env, napi_create_reference(env, shared_class, 1, &instance->shared_class));
  return shared_class;
}

napi_value CreateShared(napi_env env, napi_callback_info info) {
  Call call;
  if (Failure failure = ReadCall(env, info, 0, 0, "createShared()", &call)) return Throw(env, failure);
  const Instance* const instance = Instance::Of(env);
  if (!instance) return Throw(env, {kInternal, "the environment is ending"});
  napi_value shared_class, result;
  LOWBIT_NAPI(env, napi_get_reference_value(env, instance->shared_class, &shared_class));
  LOWBIT_NAPI(env, napi_new_instance(env, shared_class, 0, nullptr, &result));
  std::unique_ptr<SharedObject> shared = std::make_unique<SharedObject>();
  LOWBIT_NAPI(env, napi_wrap(env, result, shared.get(), FinalizeShared, nullptr, nullptr));
  (void)shared.release();
  LOWBIT_NAPI(env, napi_type_tag_object(env, result, &kSharedTag));
  return result;
}

Failure UnwrapShared(napi_env env, napi_value value, SharedObject** shared) {
  napi_valuetype type;
  bool ours = false;
  if (napi_typeof(env, value, &type) != napi_ok) return NodeFailure(env);
  if (type != napi_object || napi_check_object_type_tag(env, value, &kSharedTag, &ours) != napi_ok || !ours)
    return {kOptionInvalid, "shared is not what createShared() gives"};
  return Unwrap(env, value, shared);
}

}  // namespace lowbit::binding
