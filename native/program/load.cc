// Reads a program as a stranger's file: every section, count, offset, index, rank, extent and byte length is
// checked here, once, so that steps and run.cc may trust them. source.h has the bytes, keeper.h the constants,
// arguments.h the steps' operands and attributes.
#include "program/load.h"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "program/arguments.h"
#include "program/variables.h"
#include "program/wishes.h"

namespace lowbit::program {
namespace {

Status Invalid(const std::string& message) { return Status(Code::kInvalid, message); }

Status ReadPorts(const Source& source, const std::vector<Tensor>& tensors, bool outputs, Keeper* keeper,
                 std::vector<Port>* ports) {
  const Section& section = outputs ? source.header.outputs : source.header.inputs;
  const std::string what = outputs ? "output " : "input ";
  uint64_t total = 0;
  for (uint32_t i = 0; i < section.count; ++i) {
    const int32_t index = source.At<int32_t>(section, i);
    if (index < 0 || index >= static_cast<int64_t>(tensors.size()))
      return Invalid("program: " + what + Text(i) + " is tensor " + std::to_string(index) + " of " +
                     Text(tensors.size()));
    const Tensor& tensor = tensors[static_cast<size_t>(index)];
    if (!outputs && tensor.is_constant()) return Invalid("program: " + what + Text(i) + " is a constant");
    total += tensor.bytes + 64;
    if (total > SIZE_MAX / 4) return Status(Code::kLimit, "program: its " + what + Text(i) + " is too large");
    const size_t element = tensor.is_lent() && tensor.dtype != Dtype::kBool ? 4 : 1;
    ports->push_back({tensor.bytes, element, keeper->Keep(tensor)});
    if (keeper->failed()) return Status(Code::kLimit, "program: not enough memory for its constant outputs");
  }
  return Status();
}

Status Build(Span<const uint8_t> bytes, Span<const Span<const uint8_t>> constants, const LoadOptions& options,
             std::shared_ptr<Program>* program) {
  Source source;
  LOWBIT_RETURN_IF_ERROR(OpenSource(bytes, &source));

  const auto fits = [&](uint64_t needed) {
    return needed <= options.memory_limit && needed <= SIZE_MAX / 2
               ? Status()
               : Status(Code::kLimit, "the model needs " + Text(needed) + " bytes or more, the limit is " +
                                          Text(options.memory_limit));
  };
  const Header& header = source.header;
  LOWBIT_RETURN_IF_ERROR(fits(header.arena_bytes));
  const uint64_t state_bytes = Variables::BytesOf(source);
  LOWBIT_RETURN_IF_ERROR(fits(state_bytes));
  if (header.main_count > header.steps.count)
    return Invalid("program: " + Text(header.main_count) + " main steps of " + Text(header.steps.count));
  const uint64_t fixed = header.arena_bytes + state_bytes;  // each is at most SIZE_MAX / 2

  Program::Parts parts;
  parts.state = options.state ? options.state : std::make_shared<State>();
  Variables variables(parts.state);
  LOWBIT_RETURN_IF_ERROR(variables.Read(source));
  std::vector<Tensor> tensors(source.header.tensors.count);
  for (uint32_t i = 0; i < source.header.tensors.count; ++i)
    LOWBIT_RETURN_IF_ERROR(ReadTensor(source, constants, variables, i, options, &tensors[i]));

  const std::shared_ptr<Weights> weights = options.weights ? options.weights : std::make_shared<Weights>();
  weights->Prune();
  const uint64_t room = std::min<uint64_t>(options.memory_limit, SIZE_MAX / 2);
  Keeper keeper(&parts.constants, weights.get(), room - std::min(room, fixed));
  LOWBIT_RETURN_IF_ERROR(ReadPorts(source, tensors, false, &keeper, &parts.inputs));
  LOWBIT_RETURN_IF_ERROR(ReadPorts(source, tensors, true, &keeper, &parts.outputs));

  uint64_t scratch = 0;
  parts.steps.resize(header.steps.count);
  const auto load = [&](Arguments& arguments, uint32_t i, uint64_t weight_room) {
    std::unique_ptr<Step>& step = parts.steps[i];
    LOWBIT_RETURN_IF_ERROR(arguments.LoadStep(weight_room, &step));
    keeper.Take(step->packed_bytes());
    scratch = std::max(scratch, step->scratch_bytes(options.threads));
    return fits(fixed + keeper.bytes() + scratch);
  };
  // Steps with a wish wait until it is known what the others take.
  std::vector<Wanting> wanting;
  Arguments arguments(source, tensors, options, &keeper);
  for (uint32_t i = 0; i < header.steps.count; ++i) {
    LOWBIT_RETURN_IF_ERROR(arguments.Open(i));
    const Wish wish = options.weight_budget > 0 ? arguments.WishOfStep() : Wish();
    if (wish.gain > 0) {
      wanting.push_back({i, wish});
    } else {
      LOWBIT_RETURN_IF_ERROR(load(arguments, i, 0));
    }
  }
  Arguments again(source, tensors, options, &keeper);
  again.ClaimAll();
  uint64_t reserved = InOrderOfWorth(&wanting);
  for (const Wanting& step : wanting) {
    reserved -= step.wish.least_bytes;
    const uint64_t taken = keeper.bytes() + reserved;
    LOWBIT_RETURN_IF_ERROR(again.Open(step.index));
    LOWBIT_RETURN_IF_ERROR(load(
        again, step.index,
        std::min(Less(options.weight_budget, taken), Less(options.memory_limit, fixed + taken + scratch))));
  }

  parts.arena_bytes = static_cast<size_t>(source.header.arena_bytes);
  parts.scratch_bytes = static_cast<size_t>(scratch);
  parts.packed_bytes = keeper.bytes();
  parts.shared_bytes = keeper.shared_bytes();
  parts.threads = options.threads;
  parts.pool = threads::Pool::Shared(options.threads);
  parts.main_count = header.main_count;
  parts.step_limit = options.step_limit;
  parts.variables = variables.list();
  *program = std::make_shared<Program>(std::move(parts));
  variables.Commit();
  return Status();
}

}  // namespace

// A failed allocation is the one exception that may pass through loaders: their lists are as long as a
// stranger's file says. It ends here. The message is short: strings of up to 15 characters take no memory.
Status Load(Span<const uint8_t> bytes, Span<const Span<const uint8_t>> constants, const LoadOptions& options,
            std::shared_ptr<Program>* program) {
  try {
    return Build(bytes, constants, options, program);
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  return Status(Code::kLimit, "out of memory");
}

}  // namespace lowbit::program
