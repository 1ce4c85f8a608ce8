// Reads a program as a stranger's file: every section, count, offset, index, rank, extent and byte length is
// checked here, once, so that steps and run.cc may trust them.
#include "program/load.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "program/format.h"
#include "program/overlap.h"
#include "program/step.h"

namespace lowbit::program {
namespace {

Status Invalid(const std::string& message) { return Status(Code::kInvalid, message); }

std::string Text(uint64_t number) { return std::to_string(number); }

// Bits of one element; 0 for an unknown type.
int BitsOf(Dtype dtype) {
  switch (dtype) {
    case Dtype::kInt4:
      return 4;
    case Dtype::kBool:
    case Dtype::kInt8:
    case Dtype::kUint8:
      return 8;
    case Dtype::kInt16:
    case Dtype::kFloat16:
      return 16;
    case Dtype::kInt32:
    case Dtype::kFloat32:
      return 32;
    case Dtype::kInt64:
    case Dtype::kComplex64:
      return 64;
  }
  return 0;
}

// The program's bytes, aligned, and its sections once their bounds are known to be right.
struct Source {
  AlignedBuffer bytes;
  Header header;

  template <typename Record>
  Record At(const Section& section, uint64_t index) const {
    Record record;
    std::memcpy(&record, bytes.data() + section.offset + index * sizeof(Record), sizeof record);
    return record;
  }
};

Status CheckSection(const Source& source, const char* name, const Section& section, size_t record_bytes) {
  const uint64_t end = section.offset + uint64_t{section.count} * record_bytes;  // < 2^32 + 2^32 * 2^7
  if (section.count > 0 && (section.offset < sizeof(Header) || end > source.bytes.size()))
    return Invalid(std::string("program: the ") + name + " end at byte " + Text(end) + " of " +
                   Text(source.bytes.size()));
  return Status();
}

Status OpenSource(Span<const uint8_t> bytes, Source* source) {
  if (bytes.size < sizeof(Header)) return Invalid("program: " + Text(bytes.size) + " bytes hold no header");
  if (bytes.size > UINT32_MAX) return Status(Code::kLimit, "program: longer than 4 GiB");
  Header& header = source->header;
  std::memcpy(&header, bytes.data, sizeof header);
  if (header.magic != kMagic) return Invalid("program: it does not start with the magic number");
  if (header.version != kVersion)
    return Invalid("program: version " + Text(header.version) + ", this build reads " + Text(kVersion));
  if (header.total_bytes != bytes.size)
    return Invalid("program: it says " + Text(header.total_bytes) + " bytes and has " + Text(bytes.size));
  if (!source->bytes.Allocate(bytes.size)) return Status(Code::kLimit, "program: not enough memory");
  std::memcpy(source->bytes.data(), bytes.data, bytes.size);
  LOWBIT_RETURN_IF_ERROR(CheckSection(*source, "tensors", header.tensors, sizeof(TensorRecord)));
  LOWBIT_RETURN_IF_ERROR(CheckSection(*source, "operands", header.operands, sizeof(int32_t)));
  LOWBIT_RETURN_IF_ERROR(CheckSection(*source, "steps", header.steps, sizeof(StepRecord)));
  LOWBIT_RETURN_IF_ERROR(CheckSection(*source, "attributes", header.attributes, sizeof(AttributeRecord)));
  LOWBIT_RETURN_IF_ERROR(CheckSection(*source, "inputs", header.inputs, sizeof(int32_t)));
  LOWBIT_RETURN_IF_ERROR(CheckSection(*source, "outputs", header.outputs, sizeof(int32_t)));
  return CheckSection(*source, "variables", header.variables, sizeof(VariableRecord));
}

// The state that a program uses: variables that an earlier program of the model made, and new ones, which
// become the model's once the program is loaded.
class Variables {
 public:
  explicit Variables(std::shared_ptr<State> state) : state_(std::move(state)) {}

  // Bytes of all of them, or more than there can be.
  static uint64_t BytesOf(const Source& source) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < source.header.variables.count; ++i) {
      const uint64_t bytes = source.At<VariableRecord>(source.header.variables, i).bytes;
      if (bytes > SIZE_MAX / 2 - sum) return UINT64_MAX;
      sum += bytes;
    }
    return sum;
  }

  Status Read(const Source& source) {
    std::set<uint32_t> known;
    for (uint32_t i = 0; i < source.header.variables.count; ++i) {
      const auto record = source.At<VariableRecord>(source.header.variables, i);
      const auto size = static_cast<size_t>(record.bytes);
      if (size == 0 || record.fill > 255 || !known.insert(record.id).second)
        return Invalid("program: variable " + Text(i) + " is empty, of no byte, or is named twice");
      std::shared_ptr<Variable> variable = state_->Find(record.id, size);
      if (!variable) {
        variable = std::make_shared<Variable>();
        if (!variable->bytes.Allocate(size))
          return Status(Code::kLimit, "program: not enough memory for its state");
        variable->fill = static_cast<uint8_t>(record.fill);
        variable->Reset();
      }
      ids_.push_back(record.id);
      list_.push_back(std::move(variable));
    }
    return Status();
  }

  const std::vector<std::shared_ptr<Variable>>& list() const { return list_; }

  void Commit() {
    for (size_t i = 0; i < list_.size(); ++i) state_->Put(ids_[i], list_[i]);
  }

 private:
  const std::shared_ptr<State> state_;
  std::vector<uint32_t> ids_;
  std::vector<std::shared_ptr<Variable>> list_;
};

Status ReadTensor(const Source& source, Span<const Span<const uint8_t>> constants, const Variables& variables,
                  uint32_t index, const LoadOptions& options, Tensor* tensor) {
  const TensorRecord record = source.At<TensorRecord>(source.header.tensors, index);
  const auto fail = [index](const std::string& message) {
    return Invalid("program: tensor " + Text(index) + ": " + message);
  };
  const int bits = BitsOf(record.dtype);
  if (bits == 0) return fail("unknown data type " + std::to_string(static_cast<int32_t>(record.dtype)));
  if (record.rank < 0 || record.rank > kMaxRank) return fail("rank " + std::to_string(record.rank));
  // Each product stays below 2^62 * 2^6 or is refused, so that a zero extent after large ones is refused as
  // well.
  uint64_t count = 1;
  bool empty = false;
  for (int i = 0; i < record.rank; ++i) {
    const int32_t extent = record.dims[i];
    if (extent < 0) return fail("extent " + std::to_string(extent));
    if (extent == 0) {
      empty = true;
      continue;
    }
    if (count > (uint64_t{1} << 56) / static_cast<uint64_t>(extent)) return fail("too many elements");
    count *= static_cast<uint64_t>(extent);
  }
  const uint64_t bytes = empty ? 0 : (count * static_cast<uint64_t>(bits) + 7) / 8;
  if (record.bytes != bytes) return fail(Text(record.bytes) + " bytes, its shape has " + Text(bytes));
  if (bytes > SIZE_MAX / 2) return Status(Code::kLimit, "program: tensor " + Text(index) + " is too large");

  uint64_t space = 0;
  const uint8_t* constant = nullptr;
  uint8_t* variable = nullptr;
  if (record.where == Where::kArena || record.where == Where::kState) {
    space = source.header.arena_bytes;
    if (record.where == Where::kState) {
      if (record.source >= variables.list().size())
        return fail("variable " + Text(record.source) + " is none of the program's");
      AlignedBuffer& buffer = variables.list()[record.source]->bytes;
      space = buffer.size();
      variable = buffer.data();
    }
    if (record.offset % static_cast<uint64_t>(std::max(bits / 8, 1)) != 0)
      return fail("offset " + Text(record.offset) + " is not aligned to its elements");
  } else if (record.where == Where::kConstant) {
    if (record.source >= constants.size)
      return fail("constant block " + Text(record.source) + " was not given");
    space = constants[record.source].size;
  } else {
    return fail("it is neither in the arena nor in the state nor constant");
  }
  if (record.offset > space || bytes > space - record.offset)
    return fail("bytes " + Text(record.offset) + " + " + Text(bytes) + " lie outside of the " + Text(space) +
                " there are");
  if (record.where == Where::kConstant) {
    static const uint8_t kNothing[1] = {0};
    constant = bytes ? constants[record.source].data + record.offset : kNothing;
    tensor->identity = record.source < options.identities.size
                           ? static_cast<uint64_t>(options.identities[record.source])
                           : 0;
    tensor->block_offset = static_cast<size_t>(record.offset);
  }
  tensor->dtype = record.dtype;
  tensor->rank = record.rank;
  for (int i = 0; i < kMaxRank; ++i) tensor->dims[i] = i < record.rank ? record.dims[i] : 1;
  tensor->bytes = static_cast<size_t>(bytes);
  tensor->where = record.where;
  tensor->offset = record.where == Where::kConstant ? 0 : static_cast<size_t>(record.offset);
  tensor->constant = constant;
  tensor->variable = variable ? variable + tensor->offset : nullptr;
  tensor->source = record.where == Where::kState ? record.source : 0;
  return Status();
}

// Constants that the program keeps, as they are or packed: one copy for the same bytes of the same block.
class Keeper {
 public:
  Keeper(std::vector<SharedBuffer>* kept, Weights* weights, uint64_t room)
      : kept_(kept), weights_(weights), room_(room) {}

  // What an earlier program of the model made of the constant, or `bytes` that `pack` fills.
  SharedBuffer Packed(const Tensor& constant, const Key& layout, size_t bytes,
                      const std::function<void(uint8_t*)>& pack) {
    if (bytes > left()) return nullptr;
    Key key;
    key.With(constant.identity).With(constant.block_offset).With(constant.bytes).With(bytes);
    const std::string text = key.text() + layout.text();
    if (constant.identity) {
      if (SharedBuffer known = weights_->Find(text)) {
        if (used_.insert(known.get()).second) shared_bytes_ += known->size();
        return known;
      }
    }
    auto buffer = std::make_shared<AlignedBuffer>();
    if (!buffer->Allocate(bytes)) return nullptr;
    pack(buffer->data());
    used_.insert(buffer.get());
    if (constant.identity) weights_->Add(text, buffer);
    return buffer;
  }

  Operand Keep(const Tensor& tensor) {
    if (tensor.is_state()) return Operand(tensor.variable);
    if (!tensor.is_constant()) return Operand(tensor.offset);
    const auto [place, fresh] = copies_.try_emplace({tensor.constant, tensor.bytes}, nullptr);
    if (fresh) {
      SharedBuffer copy = Packed(tensor, Key().With('='), tensor.bytes, [&](uint8_t* bytes) {
        if (tensor.bytes) std::memcpy(bytes, tensor.constant, tensor.bytes);
      });
      if (!copy) {
        failed_ = true;
        copies_.erase(place);
        return Operand();
      }
      bytes_ += copy->size();
      place->second = copy->data();
      kept_->push_back(std::move(copy));
    }
    // Steps only read constants: the loader refuses outputs that are one.
    return Operand(const_cast<uint8_t*>(place->second));
  }

  // A step has taken `packed` bytes.
  void Take(uint64_t packed) { packed_ += packed; }
  // Bytes that the limit leaves for further steps and constants.
  uint64_t left() const { return room_ - std::min(room_, bytes_ + packed_); }
  uint64_t bytes() const { return bytes_ + packed_; }
  uint64_t shared_bytes() const { return shared_bytes_; }  // taken from earlier programs
  bool failed() const { return failed_; }  // memory ran out; operands given since are not to be used

 private:
  std::vector<SharedBuffer>* kept_;
  Weights* weights_;
  std::set<const AlignedBuffer*> used_;
  std::map<std::pair<const uint8_t*, size_t>, const uint8_t*> copies_;  // by the caller's bytes
  const uint64_t room_;                                                 // beside the arena
  uint64_t bytes_ = 0, packed_ = 0, shared_bytes_ = 0;
  bool failed_ = false;
};

// Stands for a step whose outputs are empty.
class Nothing final : public Step {
 public:
  Nothing() { kernel_ = "nothing"; }
  void Run(const RunContext& /*run*/) const noexcept override {}
};

class Arguments final : public StepArgs {
 public:
  Arguments(const Source& source, const std::vector<Tensor>& tensors, const LoadOptions& options,
            Keeper* keeper)
      : source_(source),
        tensors_(tensors),
        options_(options),
        keeper_(keeper),
        claimed_(source.header.main_count) {
    depths_.resize(source.header.steps.count);
  }

  // Turns to a step; its operands and attributes are checked here.
  Status Open(uint32_t index) {
    index_ = index;
    if (index >= claimed_)
      return Invalid("program: step " + Text(index) + " is neither a main step nor part of a block");
    record_ = source_.At<StepRecord>(source_.header.steps, index);
    name_ = "?";
    const Span<const StepKind> kinds = StepKinds();
    if (record_.kind >= kinds.size) return Fail(Code::kInvalid, "unknown kind " + Text(record_.kind));
    name_ = kinds[record_.kind].name;

    const uint64_t operands = uint64_t{record_.input_count} + record_.output_count;
    // All steps together have as many as there are: the work of loading is bounded by the program's length.
    operands_read_ += operands;
    if (operands_read_ > source_.header.operands.count ||
        record_.first_operand + operands > source_.header.operands.count)
      return Fail(Code::kInvalid,
                  "its operands lie outside of the " + Text(source_.header.operands.count) + " there are");
    operands_.clear();
    for (uint64_t i = 0; i < operands; ++i) {
      const int32_t tensor = source_.At<int32_t>(source_.header.operands, record_.first_operand + i);
      const bool output = i >= record_.input_count;
      if (tensor < (output ? 0 : -1) || tensor >= static_cast<int64_t>(tensors_.size()))
        return Fail(Code::kInvalid, "operand " + Text(i) + " is tensor " + std::to_string(tensor) + " of " +
                                        Text(tensors_.size()));
      operands_.push_back(tensor < 0 ? nullptr : &tensors_[static_cast<size_t>(tensor)]);
      if (output && operands_.back()->is_constant())
        return Fail(Code::kInvalid, "output " + Text(i - record_.input_count) + " is a constant");
    }
    const std::string overlap =
        FindOverlap({operands_.data(), operands_.size()}, record_.input_count, kinds[record_.kind].in_place);
    if (!overlap.empty()) return Fail(Code::kInvalid, overlap);

    attributes_read_ += record_.attribute_count;
    if (attributes_read_ > source_.header.attributes.count ||
        uint64_t{record_.first_attribute} + record_.attribute_count > source_.header.attributes.count)
      return Fail(Code::kInvalid, "its attributes lie outside of the " +
                                      Text(source_.header.attributes.count) + " there are");
    if (record_.attribute_count > kMostAttributes) return Fail(Code::kInvalid, "it has too many attributes");
    attributes_.clear();
    for (uint32_t i = 0; i < record_.attribute_count; ++i) {
      Attribute attribute;
      LOWBIT_RETURN_IF_ERROR(ReadAttribute(i, &attribute));
      if (Find(attribute.name.c_str()))
        return Fail(Code::kInvalid, "attribute " + attribute.name + " is given twice");
      attributes_.push_back(std::move(attribute));
    }
    return Status();
  }

  Status LoadStep(std::unique_ptr<Step>* step) {
    const Status status = StepKinds()[record_.kind].load(*this, step);
    if (keeper_->failed()) return Fail(Code::kLimit, "not enough memory for its constants");
    LOWBIT_RETURN_IF_ERROR(status);
    if (!*step) return Fail(Code::kLimit, "not enough memory");
    if (WritesNothing()) step->reset(new (std::nothrow) Nothing);
    return *step ? Status() : Fail(Code::kLimit, "not enough memory");
  }

  int input_count() const override { return static_cast<int>(record_.input_count); }
  int output_count() const override { return static_cast<int>(record_.output_count); }
  bool has_input(int i) const override {
    return i >= 0 && i < input_count() && operands_[static_cast<size_t>(i)] != nullptr;
  }
  const Tensor& input(int i) const override {
    return has_input(i) ? *operands_[static_cast<size_t>(i)] : kNone;
  }
  const Tensor& output(int i) const override {
    return i >= 0 && i < output_count() ? *operands_[record_.input_count + static_cast<size_t>(i)] : kNone;
  }
  uint64_t memory_left() const override { return keeper_->left(); }
  Operand Bind(const Tensor& tensor) override { return keeper_->Keep(tensor); }
  SharedBuffer Packed(const Tensor& constant, const Key& layout, size_t bytes,
                      const std::function<void(uint8_t*)>& pack) override {
    return keeper_->Packed(constant, layout, bytes, pack);
  }

  Status Int(const char* name, int low, int high, int* value) const override {
    const Attribute* attribute;
    LOWBIT_RETURN_IF_ERROR(One(name, Kind::kInt32, &attribute));
    int32_t read;
    std::memcpy(&read, attribute->value, sizeof read);
    if (read < low || read > high)
      return Fail(Code::kInvalid, std::string("attribute ") + name + " is " + std::to_string(read) +
                                      ", not in [" + std::to_string(low) + ", " + std::to_string(high) + "]");
    *value = read;
    return Status();
  }
  Status Float(const char* name, float* value) const override {
    const Attribute* attribute;
    LOWBIT_RETURN_IF_ERROR(One(name, Kind::kFloat32, &attribute));
    std::memcpy(value, attribute->value, sizeof *value);
    return Status();
  }
  Status Double(const char* name, double* value) const override {
    const Attribute* attribute;
    LOWBIT_RETURN_IF_ERROR(One(name, Kind::kFloat64, &attribute));
    std::memcpy(value, attribute->value, sizeof *value);
    return Status();
  }
  Status Ints(const char* name, size_t count, Span<const int32_t>* values) const override {
    return Many(name, Kind::kInt32, count, values);
  }
  Status Floats(const char* name, size_t count, Span<const float>* values) const override {
    return Many(name, Kind::kFloat32, count, values);
  }
  Status Doubles(const char* name, size_t count, Span<const double>* values) const override {
    return Many(name, Kind::kFloat64, count, values);
  }
  Status Bytes(const char* name, size_t count, Span<const uint8_t>* values) const override {
    return Many(name, Kind::kBytes, count, values);
  }
  bool has(const char* name) const override { return Find(name) != nullptr; }

  // Blocks come one after the other, so that each has one owner, which stands before it: no step runs itself.
  Status Block(int count, StepBlock* block) override {
    if (count < 0 || static_cast<uint64_t>(count) > source_.header.steps.count - claimed_)
      return Fail(Code::kInvalid, "a block of " + std::to_string(count) + " steps is more than there are");
    const int depth = depths_[index_] + 1;
    if (depth > kMostDepth)
      return Fail(Code::kLimit, "blocks are nested more than " + std::to_string(kMostDepth) + " deep");
    *block = {static_cast<size_t>(claimed_), static_cast<size_t>(count)};
    std::fill_n(depths_.begin() + static_cast<ptrdiff_t>(claimed_), count, depth);
    claimed_ += static_cast<uint32_t>(count);
    return Status();
  }

  size_t index() const override { return index_; }

  cpu::Isa isa() const override { return options_.isa; }
  int threads() const override { return options_.threads; }

  Status Fail(Code code, const std::string& message) const override {
    return Status(code, "step " + Text(index_) + " (" + name_ + "): " + message);
  }

 private:
  struct Attribute {
    std::string name;
    Kind kind;
    uint32_t count;
    const uint8_t* value;
  };

  // Whether all outputs are empty. Their other extents may be huge, and kernels loop over them.
  bool WritesNothing() const {
    const auto outputs = operands_.begin() + record_.input_count;
    return outputs != operands_.end() &&
           std::all_of(outputs, operands_.end(), [](const Tensor* output) { return output->bytes == 0; });
  }

  // What input(i) and output(i) give where there is none: an empty tensor, so that a wrong index reads
  // nothing.
  static constexpr Tensor kNone{
      Dtype::kInt8, 1, {0, 1, 1, 1, 1, 1, 1, 1}, 0, Where::kArena, 0, nullptr, 0, 0};

  static constexpr int kMostDepth = 64;            // of blocks: they are calls on the stack of a thread
  static constexpr uint32_t kMostAttributes = 64;  // more than any step has; their names are compared

  Status ReadAttribute(uint32_t i, Attribute* attribute) const {
    const AttributeRecord record =
        source_.At<AttributeRecord>(source_.header.attributes, uint64_t{record_.first_attribute} + i);
    const uint64_t size = source_.bytes.size();
    if (record.name_bytes == 0 || record.name_bytes > 64 ||
        uint64_t{record.name_offset} + record.name_bytes > size)
      return Fail(Code::kInvalid, "the name of attribute " + Text(i) + " lies outside of the program");
    const char* const name = reinterpret_cast<const char*>(source_.bytes.data()) + record.name_offset;
    for (uint32_t at = 0; at < record.name_bytes; ++at)
      if (name[at] < 0x21 || name[at] > 0x7E)
        return Fail(Code::kInvalid, "the name of attribute " + Text(i) + " is not printable");
    attribute->name.assign(name, record.name_bytes);
    uint64_t element = 0;
    switch (record.kind) {
      case Kind::kInt32:
      case Kind::kFloat32:
        element = 4;
        break;
      case Kind::kFloat64:
        element = 8;
        break;
      case Kind::kBytes:
        element = 1;
        break;
    }
    if (element == 0) return Fail(Code::kInvalid, "attribute " + attribute->name + " is of an unknown kind");
    const uint64_t bytes = element * record.count;  // < 2^35
    if (record.value_offset % 8 != 0 || record.value_offset > size || bytes > size - record.value_offset)
      return Fail(Code::kInvalid,
                  "the value of attribute " + attribute->name + " lies outside of the program");
    attribute->kind = record.kind;
    attribute->count = record.count;
    attribute->value = source_.bytes.data() + record.value_offset;
    return Status();
  }

  const Attribute* Find(const char* name) const {
    for (const Attribute& attribute : attributes_)
      if (attribute.name == name) return &attribute;
    return nullptr;
  }

  Status Get(const char* name, Kind kind, const Attribute** found) const {
    static constexpr const char* kKinds[] = {"int32", "float32", "float64", "bytes"};
    *found = Find(name);
    if (!*found) return Fail(Code::kInvalid, std::string("attribute ") + name + " is missing");
    if ((*found)->kind != kind)
      return Fail(Code::kInvalid, std::string("attribute ") + name + " is " +
                                      kKinds[static_cast<uint32_t>((*found)->kind)] + ", expected " +
                                      kKinds[static_cast<uint32_t>(kind)]);
    return Status();
  }

  Status One(const char* name, Kind kind, const Attribute** found) const {
    LOWBIT_RETURN_IF_ERROR(Get(name, kind, found));
    if ((*found)->count != 1)
      return Fail(Code::kInvalid, std::string("attribute ") + name + " has " + Text((*found)->count) +
                                      " values, expected one");
    return Status();
  }

  template <typename T>
  Status Many(const char* name, Kind kind, size_t count, Span<const T>* values) const {
    const Attribute* attribute;
    LOWBIT_RETURN_IF_ERROR(Get(name, kind, &attribute));
    if (attribute->count != count)
      return Fail(Code::kInvalid, std::string("attribute ") + name + " has " + Text(attribute->count) +
                                      " values, expected " + Text(count));
    *values = {reinterpret_cast<const T*>(attribute->value), count};
    return Status();
  }

  const Source& source_;
  const std::vector<Tensor>& tensors_;
  const LoadOptions& options_;
  Keeper* const keeper_;
  uint32_t claimed_;         // steps that are main steps or part of a block already
  std::vector<int> depths_;  // of blocks around each step
  uint32_t index_ = 0;
  uint64_t operands_read_ = 0, attributes_read_ = 0;  // by all steps so far
  StepRecord record_{};
  const char* name_ = "?";
  std::vector<const Tensor*> operands_;
  std::vector<Attribute> attributes_;
};

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
    ports->push_back({tensor.bytes, keeper->Keep(tensor)});
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

  size_t scratch = 0;
  Arguments arguments(source, tensors, options, &keeper);
  parts.steps.reserve(source.header.steps.count);
  for (uint32_t i = 0; i < source.header.steps.count; ++i) {
    LOWBIT_RETURN_IF_ERROR(arguments.Open(i));
    std::unique_ptr<Step> step;
    LOWBIT_RETURN_IF_ERROR(arguments.LoadStep(&step));
    keeper.Take(step->packed_bytes());
    scratch = std::max(scratch, step->scratch_bytes(options.threads));
    LOWBIT_RETURN_IF_ERROR(fits(fixed + keeper.bytes() + scratch));
    parts.steps.push_back(std::move(step));
  }

  parts.arena_bytes = static_cast<size_t>(source.header.arena_bytes);
  parts.scratch_bytes = scratch;
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
