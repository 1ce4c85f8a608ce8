// The state of a program while it is loaded.
#pragma once

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "program/source.h"
#include "program/state.h"

namespace lowbit::program {

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
        return Status(Code::kInvalid,
                      "program: variable " + Text(i) + " is empty, of no byte, or is named twice");
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

}  // namespace lowbit::program
