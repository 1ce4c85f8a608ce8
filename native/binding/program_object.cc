// Program: info, run, exchange, runAsync, profile, dispose. Run: cancel.
#include "binding/program_object.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "base/span.h"
#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/run_work.h"
#include "binding/shared_object.h"
#include "cpu/detect.h"
#include "program/load.h"
#include "threads/pool.h"

namespace lowbit::binding {
namespace {

// Timings that a profile may keep: 16 MiB of them.
constexpr double kMaxTimings = 1 << 21;
constexpr double kMaxRuns = 100000;

// Owned by the JavaScript object.
struct ProgramObject {
  std::shared_ptr<program::Program> program;  // null once disposed
  std::shared_ptr<Strand> strand;             // null where the program has no state
  int64_t reported = 0;                       // bytes that the garbage collector was told of
  std::shared_ptr<AlignedBuffer> exchange;    // inputs and outputs of Exchange; null until asked for
  int owners = 1;                             // the JavaScript object, and the functions that Exchange gave
};

// The program stays the JavaScript object's: once that is gone, functions of Exchange find it disposed.
void Release(ProgramObject* object) {
  if (--object->owners == 0) delete object;
}

// Tells the garbage collector how much a small object really holds.
void Report(napi_env env, ProgramObject* object) {
  const int64_t held = object->program ? static_cast<int64_t>(object->program->HeldBytes()) : 0;
  if (held == object->reported) return;
  int64_t total;
  if (napi_adjust_external_memory(env, held - object->reported, &total) == napi_ok) object->reported = held;
}

void Dispose(napi_env env, ProgramObject* object) {
  if (object->program) object->program->Close();
  object->program.reset();
  Report(env, object);
}

void FinalizeProgram(napi_env env, void* data, void*) {
  ProgramObject* const object = static_cast<ProgramObject*>(data);
  Dispose(env, object);
  Release(object);
}

void FinalizeRun(napi_env, void* data, void*) { delete static_cast<std::shared_ptr<RunControl>*>(data); }

Failure LiveProgram(const ProgramObject& object) {
  return object.program ? Failure{} : Failure{kDisposed, "the program was disposed"};
}

Failure UnwrapProgram(napi_env env, napi_value self, ProgramObject** object) {
  if (Failure failure = Unwrap(env, self, object)) return failure;
  return LiveProgram(**object);
}

// Reads a call with inputs and outputs. Reading may run JavaScript, so whether the program lives is asked
// afterwards.
struct RunCall {
  ProgramObject* object = nullptr;
  Views inputs, outputs;
};
Failure ReadRunCall(napi_env env, napi_callback_info info, const char* usage, RunCall* run) {
  Call call;
  if (Failure failure = ReadCall(env, info, 2, 2, usage, &call)) return failure;
  if (Failure failure = UnwrapProgram(env, call.self, &run->object)) return failure;
  const program::Program::Parts& parts = run->object->program->parts();
  const size_t inputs = parts.inputs.size(), outputs = parts.outputs.size();
  if (Failure failure = ReadViews(env, call.args[0], "input", inputs, kInputCount, &run->inputs))
    return failure;
  if (Failure failure = ReadViews(env, call.args[1], "output", outputs, kInputCount, &run->outputs))
    return failure;
  return LiveProgram(*run->object);
}

Failure OpenViews(napi_env env, const char* what, const std::vector<program::Port>& ports, Views* views) {
  for (size_t i = 0; i < views->size(); ++i) {
    View& view = (*views)[i];
    if (Failure failure = OpenViewOf(env, view.value, {what, i}, ports[i].bytes, &view.bytes)) return failure;
  }
  return {};
}

// Steps count on it that elements are aligned, and that outputs are memory of their own: what was lent must not overlap
// an output.
Failure CheckLoans(const program::Program& program, const RunCall& call) {
  if (!program.takes_loans()) return {};
  const size_t inputs = call.inputs.size(), ports = inputs + call.outputs.size();
  const auto bytes = [&](size_t i) {
    return i < inputs ? call.inputs[i].bytes : call.outputs[i - inputs].bytes;
  };
  for (size_t i = 0; i < ports; ++i) {
    const size_t element = program.element_bytes(i);
    if (program.is_lent(i) && reinterpret_cast<uintptr_t>(bytes(i).data) % element != 0)
      return {kOptionInvalid,
              (i < inputs ? "input " + std::to_string(i) : "output " + std::to_string(i - inputs)) +
                  " is not aligned to elements of " + std::to_string(element) + " bytes"};
  }
  for (size_t output = inputs; output < ports; ++output) {
    for (size_t other = 0; other < output; ++other) {
      const Span<uint8_t> a = bytes(output), b = bytes(other);
      if (a.data < b.data + b.size && b.data < a.data + a.size)
        return {kOptionInvalid,
                "output " + std::to_string(output - inputs) + " shares memory with another array"};
    }
  }
  return {};
}

// Runs on this thread: input_at(i) and output_at(i) are asked in order, once each; outputs that are lent before the
// others.
template <typename InputAt, typename OutputAt>
napi_value RunHere(napi_env env, ProgramObject* object, const InputAt& input_at, const OutputAt& output_at) {
  program::Program& program = *object->program;
  const program::Program::Parts& parts = program.parts();
  RunWork::CatchUp(object->strand.get(), parts.state.get());
  std::unique_ptr<program::Block> block = program.Take();
  if (!block) return Throw(env, {kLimitExceeded, "not enough memory for a run"});
  const size_t inputs = parts.inputs.size(), outputs = parts.outputs.size();
  for (size_t i = 0; i < inputs; ++i) {
    if (program.is_lent(i)) {
      program.Lend(*block, i, input_at(i));
    } else {
      program.CopyIn(*block, i, input_at(i));
    }
  }
  for (size_t i = 0; i < outputs; ++i) {
    if (program.is_lent(inputs + i)) program.Lend(*block, inputs + i, output_at(i));
  }
  const Status status = program.Run(*block, nullptr, nullptr);
  for (size_t i = 0; status.ok() && i < outputs; ++i) {
    if (!program.is_lent(inputs + i)) program.CopyOut(*block, i, output_at(i));
  }
  program.Give(std::move(block));
  Report(env, object);
  return status.ok() ? nullptr : Throw(env, FailureOf(status));
}

napi_value Run(napi_env env, napi_callback_info info) {
  RunCall call;
  if (Failure failure = ReadRunCall(env, info, "run(inputs, outputs)", &call)) return Throw(env, failure);
  program::Program& program = *call.object->program;
  if (Failure failure = OpenViews(env, "input", program.parts().inputs, &call.inputs))
    return Throw(env, failure);
  if (Failure failure = OpenViews(env, "output", program.parts().outputs, &call.outputs))
    return Throw(env, failure);
  if (Failure failure = CheckLoans(program, call)) return Throw(env, failure);
  return RunHere(
      env, call.object, [&](size_t i) { return call.inputs[i].bytes.data; },
      [&](size_t i) { return call.outputs[i].bytes.data; });
}

// A run by way of memory of its own. The function brings the program with it, which is found faster than a receiver's.
napi_value RunExchanged(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  LOWBIT_NAPI(env, napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data));
  ProgramObject* const object = static_cast<ProgramObject*>(data);
  if (Failure failure = LiveProgram(*object)) return Throw(env, failure);
  uint8_t* at = object->exchange->data();
  const auto next = [&](const program::Port& port) {
    uint8_t* const bytes = at;
    at += program::Program::RoundUp(port.bytes);
    return bytes;
  };
  const program::Program::Parts& parts = object->program->parts();
  return RunHere(
      env, object, [&](size_t i) { return next(parts.inputs[i]); },
      [&](size_t i) { return next(parts.outputs[i]); });
}

// The memory, as an ArrayBuffer. A script may detach that: the memory stays the program's, too. Null where there may be
// no such buffers (Electron).
napi_value ExchangeBuffer(napi_env env, const std::shared_ptr<AlignedBuffer>& memory) {
  auto* const owner = new std::shared_ptr<AlignedBuffer>(memory);
  const auto release = [](napi_env, void*, void* hint) {
    delete static_cast<std::shared_ptr<AlignedBuffer>*>(hint);
  };
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, memory->data(), memory->size(), release, owner, &buffer) ==
      napi_ok)
    return buffer;
  delete owner;
  return nullptr;
}

// { buffer, run }: bytes of all inputs, then of all outputs, each from a multiple of 64 on, and a function that runs
// from there to there. Undefined where that cannot be had.
napi_value Exchange(napi_env env, napi_callback_info info) {
  Call call;
  ProgramObject* object = nullptr;
  if (Failure failure = ReadCall(env, info, 0, 0, "exchange()", &call)) return Throw(env, failure);
  if (Failure failure = UnwrapProgram(env, call.self, &object)) return Throw(env, failure);
  if (object->program->takes_loans()) return nullptr;
  if (!object->exchange) {
    auto memory = std::make_shared<AlignedBuffer>();
    const size_t size = object->program->input_bytes() + object->program->output_bytes();
    if (!memory->Allocate(std::max<size_t>(size, 64))) return Throw(env, {kLimitExceeded, kOutOfMemory});
    object->exchange = std::move(memory);
  }
  napi_value result, run;
  const napi_value buffer = ExchangeBuffer(env, object->exchange);
  if (!buffer) return nullptr;
  LOWBIT_NAPI(env, napi_create_object(env, &result));
  LOWBIT_NAPI(env, napi_create_function(env, "run", NAPI_AUTO_LENGTH, Guarded<RunExchanged>, object, &run));
  const auto release = [](napi_env, void* data, void*) { Release(static_cast<ProgramObject*>(data)); };
  LOWBIT_NAPI(env, napi_add_finalizer(env, run, object, release, nullptr, nullptr));
  ++object->owners;
  LOWBIT_NAPI(env, napi_set_named_property(env, result, "buffer", buffer));
  LOWBIT_NAPI(env, napi_set_named_property(env, result, "run", run));
  return result;
}

napi_value RunAsync(napi_env env, napi_callback_info info) {
  RunCall call;
  if (Failure failure = ReadRunCall(env, info, "runAsync(inputs, outputs)", &call))
    return Throw(env, failure);
  if (call.object->program->takes_loans())
    return Throw(env,
                 {kOptionInvalid, "a program that works in the caller's memory runs on its thread only"});
  Instance* const instance = Instance::Of(env);
  if (!instance) return Throw(env, {kInternal, "the environment is ending"});

  napi_value promise, run_class, object;
  std::unique_ptr<std::shared_ptr<RunControl>> control(new (std::nothrow) std::shared_ptr<RunControl>);
  if (!control) return Throw(env, {kLimitExceeded, kOutOfMemory});
  if (Failure failure = RunWork::StartRun(env, {call.object->program, call.object->strand}, call.inputs,
                                          call.outputs, &promise, control.get()))
    return Throw(env, failure);
  Report(env, call.object);
  LOWBIT_NAPI(env, napi_get_reference_value(env, instance->run_class, &run_class));
  LOWBIT_NAPI(env, napi_new_instance(env, run_class, 0, nullptr, &object));
  LOWBIT_NAPI(env, napi_set_named_property(env, object, "promise", promise));
  LOWBIT_NAPI(env, napi_wrap(env, object, control.get(), FinalizeRun, nullptr, nullptr));
  (void)control.release();
  return object;
}

napi_value Cancel(napi_env env, napi_callback_info info) {
  Call call;
  std::shared_ptr<RunControl>* control = nullptr;
  if (Failure failure = ReadCall(env, info, 0, 0, "cancel()", &call)) return Throw(env, failure);
  if (Failure failure = Unwrap(env, call.self, &control)) return Throw(env, failure);
  RunWork::Cancel(env, **control);
  return nullptr;
}

napi_value Profile(napi_env env, napi_callback_info info) {
  Call call;
  ProgramObject* object = nullptr;
  if (Failure failure = ReadCall(env, info, 2, 2, "profile(inputs, runs)", &call)) return Throw(env, failure);
  if (Failure failure = UnwrapProgram(env, call.self, &object)) return Throw(env, failure);
  Views inputs;
  double runs = 0;
  if (Failure failure =
          ReadViews(env, call.args[0], "input", object->program->parts().inputs.size(), kInputCount, &inputs))
    return Throw(env, failure);
  if (Failure failure = ReadInteger(env, call.args[1], "runs", 1, kMaxRuns, &runs))
    return Throw(env, failure);
  if (Failure failure = LiveProgram(*object)) return Throw(env, failure);
  if (object->program->takes_loans())
    return Throw(env, {kOptionInvalid, "a program that works in the caller's memory has no profile"});
  if (runs * static_cast<double>(object->program->parts().steps.size()) > kMaxTimings)
    return Throw(env, {kOptionInvalid, "so many runs of so many steps are too many timings"});
  napi_value promise;
  if (Failure failure = RunWork::StartProfile(env, {object->program, object->strand}, inputs,
                                              static_cast<size_t>(runs), &promise))
    return Throw(env, failure);
  Report(env, object);
  return promise;
}

napi_value Info(napi_env env, napi_callback_info info) {
  Call call;
  ProgramObject* object = nullptr;
  if (Failure failure = ReadCall(env, info, 0, 0, "info()", &call)) return Throw(env, failure);
  if (Failure failure = UnwrapProgram(env, call.self, &object)) return Throw(env, failure);
  const program::Program::Parts& parts = object->program->parts();
  napi_value result, kernels;
  LOWBIT_NAPI(env, napi_create_object(env, &result));
  const auto number = [&](const char* name, uint64_t bytes) {
    napi_value value;
    return napi_create_double(env, static_cast<double>(bytes), &value) == napi_ok &&
           napi_set_named_property(env, result, name, value) == napi_ok;
  };
  if (!number("arenaBytes", parts.arena_bytes) || !number("scratchBytes", parts.scratch_bytes) ||
      !number("packedBytes", parts.packed_bytes) || !number("sharedBytes", parts.shared_bytes))
    return ThrowLast(env);
  LOWBIT_NAPI(env, napi_create_array_with_length(env, parts.steps.size(), &kernels));
  for (size_t i = 0; i < parts.steps.size(); ++i) {
    napi_handle_scope scope;
    napi_value name;
    LOWBIT_NAPI(env, napi_open_handle_scope(env, &scope));
    const bool set =
        napi_create_string_utf8(env, parts.steps[i]->kernel(), NAPI_AUTO_LENGTH, &name) == napi_ok &&
        napi_set_element(env, kernels, static_cast<uint32_t>(i), name) == napi_ok;
    napi_close_handle_scope(env, scope);
    if (!set) return ThrowLast(env);
  }
  LOWBIT_NAPI(env, napi_set_named_property(env, result, "kernels", kernels));
  return result;
}

napi_value DisposeMethod(napi_env env, napi_callback_info info) {
  Call call;
  ProgramObject* object = nullptr;
  if (Failure failure = ReadCall(env, info, 0, 0, "dispose()", &call)) return Throw(env, failure);
  if (Failure failure = Unwrap(env, call.self, &object)) return Throw(env, failure);
  Dispose(env, object);
  return nullptr;
}

// What the programs of the model share, and a Float64Array of numbers that name the constant blocks. Views of
// the latter are opened later.
Failure ReadSharing(napi_env env, napi_value options, napi_value* identities, program::LoadOptions* load,
                    std::shared_ptr<Strand>* strand) {
  napi_value share;
  if (Failure failure = ReadField(env, options, "shared", &share)) return failure;
  if (Failure failure = ReadField(env, options, "identities", identities)) return failure;
  if (!share) return {};
  SharedObject* shared = nullptr;
  if (Failure failure = UnwrapShared(env, share, &shared)) return failure;
  load->weights = shared->weights;
  load->state = shared->state;
  *strand = shared->strand;
  return {};
}

// One number, a whole one, a block.
Failure OpenIdentities(napi_env env, napi_value view, size_t blocks, std::vector<double>* numbers) {
  Span<uint8_t> bytes;
  if (Failure failure = OpenViewOf(env, view, {"identities"}, blocks * sizeof(double), &bytes))
    return failure;
  numbers->resize(blocks);
  if (blocks) std::memcpy(numbers->data(), bytes.data, bytes.size);
  for (const double number : *numbers)
    if (!(number >= 0 && number <= 9007199254740991.0))
      return {kOptionInvalid, "identities: a whole number of 0 or more expected"};
  return {};
}

Failure ReadOptions(napi_env env, napi_value value, program::LoadOptions* options) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return NodeFailure(env);
  if (type != napi_object) return {kOptionInvalid, "the options are not an object"};
  napi_value threads, isa, memory, packed, steps;
  if (Failure failure = ReadField(env, value, "threads", &threads)) return failure;
  if (Failure failure = ReadField(env, value, "isa", &isa)) return failure;
  if (Failure failure = ReadField(env, value, "memory", &memory)) return failure;
  if (Failure failure = ReadField(env, value, "packed", &packed)) return failure;
  if (Failure failure = ReadField(env, value, "steps", &steps)) return failure;
  if (!threads) return {kOptionInvalid, "threads is missing"};
  double number = 0;
  if (Failure failure = ReadInteger(env, threads, "threads", 1, threads::Pool::kMaxThreads, &number))
    return failure;
  options->threads = static_cast<int>(number);
  options->isa = cpu::Detect();
  if (isa) {
    std::string name;
    if (Failure failure = ReadString(env, isa, "isa", &name)) return failure;
    if (!cpu::Cap(name.c_str(), cpu::Detect(), &options->isa))
      return {kOptionInvalid, "isa \"" + name + "\" is unknown"};
  }
  if (memory) {
    if (Failure failure = ReadInteger(env, memory, "memory", 0, 9007199254740991.0, &number)) return failure;
    options->memory_limit = static_cast<uint64_t>(number);
  }
  if (packed) {
    if (Failure failure = ReadInteger(env, packed, "packed", 0, 9007199254740991.0, &number)) return failure;
    options->weight_budget = static_cast<uint64_t>(number);
  }
  if (steps) {
    if (Failure failure = ReadInteger(env, steps, "steps", 0, 9007199254740991.0, &number)) return failure;
    options->step_limit = static_cast<uint64_t>(number);
  }
  return {};
}

}  // namespace

napi_value DefineClasses(napi_env env, Instance* instance) {
  const napi_property_descriptor program[] = {
      Method("info", Guarded<Info>),         Method("run", Guarded<Run>),
      Method("exchange", Guarded<Exchange>), Method("runAsync", Guarded<RunAsync>),
      Method("profile", Guarded<Profile>),   Method("dispose", Guarded<DisposeMethod>),
  };
  const napi_property_descriptor run[] = {Method("cancel", Guarded<Cancel>)};
  napi_value program_class, run_class;
  LOWBIT_NAPI(env, napi_define_class(env, "NativeProgram", NAPI_AUTO_LENGTH, ConstructEmpty, nullptr,
                                     sizeof program / sizeof program[0], program, &program_class));
  LOWBIT_NAPI(env, napi_define_class(env, "NativeRun", NAPI_AUTO_LENGTH, ConstructEmpty, nullptr,
                                     sizeof run / sizeof run[0], run, &run_class));
  if (!DefineShared(env, instance)) return nullptr;
  LOWBIT_NAPI(env, napi_create_reference(env, program_class, 1, &instance->program_class));
  LOWBIT_NAPI(env, napi_create_reference(env, run_class, 1, &instance->run_class));
  return program_class;
}

napi_value CreateProgram(napi_env env, napi_callback_info info) {
  Call call;
  program::LoadOptions options;
  Views blocks;
  if (Failure failure = ReadCall(env, info, 3, 3, "createProgram(program, constants, options)", &call))
    return Throw(env, failure);
  if (Failure failure = ReadOptions(env, call.args[2], &options)) return Throw(env, failure);
  napi_value names = nullptr;
  std::shared_ptr<Strand> strand;
  if (Failure failure = ReadSharing(env, call.args[2], &names, &options, &strand)) return Throw(env, failure);
  if (Failure failure = ReadViews(env, call.args[1], "constant", kAny, nullptr, &blocks))
    return Throw(env, failure);

  // From here on no JavaScript runs until the program is loaded.
  Span<uint8_t> bytes;
  if (Failure failure = OpenView(env, call.args[0], {"the program"}, &bytes)) return Throw(env, failure);
  std::vector<Span<const uint8_t>> constants(blocks.size());
  for (size_t i = 0; i < blocks.size(); ++i) {
    Span<uint8_t>& block = blocks[i].bytes;
    if (Failure failure = OpenView(env, blocks[i].value, {"constant", i}, &block)) return Throw(env, failure);
    constants[i] = {block.data, block.size};
  }
  std::vector<double> identities;
  if (names) {
    if (Failure failure = OpenIdentities(env, names, blocks.size(), &identities)) return Throw(env, failure);
    options.identities = {identities.data(), identities.size()};
  }
  std::shared_ptr<program::Program> program;
  const Status status =
      program::Load({bytes.data, bytes.size}, {constants.data(), constants.size()}, options, &program);
  if (!status.ok()) return Throw(env, FailureOf(status));

  const Instance* const instance = Instance::Of(env);
  if (!instance) return Throw(env, {kInternal, "the environment is ending"});
  napi_value program_class, result;
  LOWBIT_NAPI(env, napi_get_reference_value(env, instance->program_class, &program_class));
  LOWBIT_NAPI(env, napi_new_instance(env, program_class, 0, nullptr, &result));
  auto* const object = new (std::nothrow) ProgramObject{std::move(program), nullptr, 0};
  if (!object) return Throw(env, {kLimitExceeded, kOutOfMemory});
  if (object->program->has_state()) object->strand = strand ? strand : std::make_shared<Strand>();
  if (napi_wrap(env, result, object, FinalizeProgram, nullptr, nullptr) != napi_ok) {
    delete object;
    return ThrowLast(env);
  }
  Report(env, object);
  return result;
}

}  // namespace lowbit::binding
