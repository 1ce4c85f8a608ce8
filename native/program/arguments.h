// The loader's side of StepArgs: one step after the other, its operands and attributes read and checked.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "program/keeper.h"
#include "program/overlap.h"
#include "program/source.h"

namespace lowbit::program {

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

  // All steps are known to be main steps or part of a block: they may be opened in any order.
  void ClaimAll() { claimed_ = source_.header.steps.count; }

  // Turns to a step; its operands and attributes are checked here.
  Status Open(uint32_t index) {
    index_ = index;
    if (index >= claimed_)
      return Status(Code::kInvalid,
                    "program: step " + Text(index) + " is neither a main step nor part of a block");
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
      if (output && operands_.back()->is_lent() && operands_.back()->source < source_.header.inputs.count)
        return Fail(Code::kInvalid, "output " + Text(i - record_.input_count) + " is an input that was lent");
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

  // What larger packed weights would do for the step.
  Wish WishOfStep() const {
    const Wisher wish = StepKinds()[record_.kind].wish;
    return wish && !WritesNothing() ? wish(*this) : Wish();
  }

  Status LoadStep(uint64_t weight_room, std::unique_ptr<Step>* step) {
    weight_room_ = weight_room;
    if (WritesNothing()) {
      step->reset(new (std::nothrow) Nothing);
      return *step ? Status() : Fail(Code::kLimit, "not enough memory");
    }
    const Status status = StepKinds()[record_.kind].load(*this, step);
    if (keeper_->failed()) return Fail(Code::kLimit, "not enough memory for its constants");
    LOWBIT_RETURN_IF_ERROR(status);
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
  uint64_t weight_room() const override { return weight_room_; }
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
  uint64_t weight_room_ = 0;
  uint32_t claimed_;         // steps that are main steps or part of a block already
  std::vector<int> depths_;  // of blocks around each step
  uint32_t index_ = 0;
  uint64_t operands_read_ = 0, attributes_read_ = 0;  // by all steps so far
  StepRecord record_{};
  const char* name_ = "?";
  std::vector<const Tensor*> operands_;
  std::vector<Attribute> attributes_;
};

}  // namespace lowbit::program
