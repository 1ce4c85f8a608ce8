// The addon's exports, as lib/native/binding.ts types them.
#include <node_api.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/instance.h"
#include "binding/program_object.h"
#include "binding/run_work.h"
#include "binding/shared_object.h"
#include "cpu/detect.h"
#include "dispatch/names.h"
#include "program/format.h"
#include "program/step.h"

namespace lowbit::binding {
namespace {

// Raised with every change that an older lib/native/load.ts would not understand; ABI in load.ts is the same
// number.
constexpr uint32_t kAbi = 5;

struct Named {
  const char* name;
  uint32_t number;
};

template <typename Enum>
constexpr Named Of(const char* name, Enum value) {
  return {name, static_cast<uint32_t>(value)};
}

using program::Dtype;
using program::Kind;
using program::Where;

constexpr Named kDtypes[] = {
    Of("bool", Dtype::kBool),           Of("int4", Dtype::kInt4),         Of("int8", Dtype::kInt8),
    Of("uint8", Dtype::kUint8),         Of("int16", Dtype::kInt16),       Of("int32", Dtype::kInt32),
    Of("int64", Dtype::kInt64),         Of("float16", Dtype::kFloat16),   Of("float32", Dtype::kFloat32),
    Of("complex64", Dtype::kComplex64), Of("int2", Dtype::kInt2),         Of("uint16", Dtype::kUint16),
    Of("uint32", Dtype::kUint32),       Of("bfloat16", Dtype::kBfloat16), Of("float64", Dtype::kFloat64),
};
constexpr Named kKinds[] = {Of("int32", Kind::kInt32), Of("float32", Kind::kFloat32),
                            Of("float64", Kind::kFloat64), Of("bytes", Kind::kBytes)};
constexpr Named kPlaces[] = {Of("arena", Where::kArena), Of("constant", Where::kConstant),
                             Of("state", Where::kState), Of("lent", Where::kLent)};

napi_status SetNumber(napi_env env, napi_value object, const char* name, double number) {
  napi_value value;
  const napi_status status = napi_create_double(env, number, &value);
  return status == napi_ok ? napi_set_named_property(env, object, name, value) : status;
}

napi_status SetNumbers(napi_env env, napi_value object, const char* name, const Named* first, size_t count) {
  napi_value numbers;
  napi_status status = napi_create_object(env, &numbers);
  for (size_t i = 0; status == napi_ok && i < count; ++i)
    status = SetNumber(env, numbers, first[i].name, first[i].number);
  return status == napi_ok ? napi_set_named_property(env, object, name, numbers) : status;
}

napi_status CreateNames(napi_env env, const char* const* first, size_t count, napi_value* names) {
  napi_status status = napi_create_array_with_length(env, count, names);
  for (size_t i = 0; status == napi_ok && i < count; ++i) {
    napi_value name;
    status = napi_create_string_utf8(env, first[i], NAPI_AUTO_LENGTH, &name);
    if (status == napi_ok) status = napi_set_element(env, *names, static_cast<uint32_t>(i), name);
  }
  return status;
}

// The optional argument that caps the levels.
Failure ReadCap(napi_env env, napi_callback_info info, const char* usage, cpu::Isa* have) {
  Call call;
  if (Failure failure = ReadCall(env, info, 0, 1, usage, &call)) return failure;
  *have = cpu::Detect();
  napi_valuetype type = napi_undefined;
  if (call.count == 1 && napi_typeof(env, call.args[0], &type) != napi_ok) return NodeFailure(env);
  if (type == napi_undefined) return {};
  std::string name;
  if (Failure failure = ReadString(env, call.args[0], "isa", &name)) return failure;
  if (!cpu::Cap(name.c_str(), cpu::Detect(), have))
    return {kOptionInvalid, "isa \"" + name + "\" is unknown"};
  return {};
}

napi_value Abi(napi_env env, napi_callback_info) {
  napi_value number;
  LOWBIT_NAPI(env, napi_create_uint32(env, kAbi, &number));
  return number;
}

napi_value Cpu(napi_env env, napi_callback_info info) {
  cpu::Isa have;
  if (Failure failure = ReadCap(env, info, "cpu(isa?)", &have)) return Throw(env, failure);
  napi_value result, isa, isas, known, caches;
  LOWBIT_NAPI(env, napi_create_object(env, &result));
  LOWBIT_NAPI(env, napi_create_string_utf8(env, cpu::NameOf(have), NAPI_AUTO_LENGTH, &isa));
  LOWBIT_NAPI(env, napi_set_named_property(env, result, "isa", isa));
  const cpu::Levels levels = cpu::AllLevels();
  std::vector<const char*> names;
  for (size_t i = 0; i < levels.count; ++i)
    if (cpu::Has(have, levels.first[i].adds)) names.push_back(levels.first[i].name);
  LOWBIT_NAPI(env, CreateNames(env, names.data(), names.size(), &isas));
  LOWBIT_NAPI(env, napi_set_named_property(env, result, "isas", isas));
  const cpu::Names all = cpu::AllNames();
  LOWBIT_NAPI(env, CreateNames(env, all.first, all.count, &known));
  LOWBIT_NAPI(env, napi_set_named_property(env, result, "known", known));
  const cpu::Caches sizes = cpu::DetectCaches();
  LOWBIT_NAPI(env, napi_create_object(env, &caches));
  LOWBIT_NAPI(env, SetNumber(env, caches, "l1", static_cast<double>(sizes.l1)));
  LOWBIT_NAPI(env, SetNumber(env, caches, "l2", static_cast<double>(sizes.l2)));
  LOWBIT_NAPI(env, SetNumber(env, caches, "l3", static_cast<double>(sizes.l3)));
  LOWBIT_NAPI(env, napi_set_named_property(env, result, "caches", caches));
  return result;
}

napi_value Kernels(napi_env env, napi_callback_info info) {
  cpu::Isa have;
  if (Failure failure = ReadCap(env, info, "kernels(isa?)", &have)) return Throw(env, failure);
  const std::vector<const char*> names = dispatch::KernelNames(have);
  napi_value result;
  LOWBIT_NAPI(env, CreateNames(env, names.data(), names.size(), &result));
  return result;
}

napi_value Format(napi_env env, napi_callback_info) {
  napi_value result;
  LOWBIT_NAPI(env, napi_create_object(env, &result));
  LOWBIT_NAPI(env, SetNumber(env, result, "magic", program::kMagic));
  LOWBIT_NAPI(env, SetNumber(env, result, "version", program::kVersion));
  LOWBIT_NAPI(env, SetNumber(env, result, "maxRank", program::kMaxRank));
  LOWBIT_NAPI(env, SetNumbers(env, result, "dtypes", kDtypes, sizeof kDtypes / sizeof kDtypes[0]));
  LOWBIT_NAPI(env, SetNumbers(env, result, "kinds", kKinds, sizeof kKinds / sizeof kKinds[0]));
  LOWBIT_NAPI(env, SetNumbers(env, result, "places", kPlaces, sizeof kPlaces / sizeof kPlaces[0]));
  const Span<const program::StepKind> kinds = program::StepKinds();
  std::vector<Named> steps;
  for (size_t i = 0; i < kinds.size; ++i) steps.push_back({kinds[i].name, static_cast<uint32_t>(i)});
  LOWBIT_NAPI(env, SetNumbers(env, result, "steps", steps.data(), steps.size()));
  return result;
}

napi_value CancelAll(napi_env env, napi_callback_info) {
  RunWork::CancelAll(env);
  return nullptr;
}

// How many runs may be in libuv's pool: two of its threads are left to the process's files, names and keys.
size_t MostInPool() {
  const char* const set = std::getenv("UV_THREADPOOL_SIZE");
  const int threads = set ? std::atoi(set) : 4;
  return threads > 3 ? static_cast<size_t>(threads - 2) : 1;
}

// References die with the environment.
void FinalizeInstance(napi_env, void* data, void*) { delete static_cast<Instance*>(data); }

napi_value Init(napi_env env, napi_value exports) {
  Instance* const instance = new (std::nothrow) Instance;
  if (!instance) return Throw(env, {kLimitExceeded, kOutOfMemory});
  instance->most_in_pool = MostInPool();
  if (napi_set_instance_data(env, instance, FinalizeInstance, nullptr) != napi_ok) {
    delete instance;
    return ThrowLast(env);
  }
  if (!DefineClasses(env, instance)) return nullptr;
  const auto function = [](const char* name, napi_callback callback) {
    return napi_property_descriptor{name,    nullptr, callback,        nullptr,
                                    nullptr, nullptr, napi_enumerable, nullptr};
  };
  const napi_property_descriptor functions[] = {
      function("abi", Guarded<Abi>),
      function("cpu", Guarded<Cpu>),
      function("kernels", Guarded<Kernels>),
      function("format", Guarded<Format>),
      function("createShared", Guarded<CreateShared>),
      function("createProgram", Guarded<CreateProgram>),
      function("cancelAll", Guarded<CancelAll>),
  };
  LOWBIT_NAPI(env, napi_define_properties(env, exports, sizeof functions / sizeof functions[0], functions));
  return exports;
}

}  // namespace
}  // namespace lowbit::binding

NAPI_MODULE_INIT() { return lowbit::binding::Init(env, exports); }
