// What a model keeps from run to run: one variable for each number, shared by the programs of the model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "base/aligned_buffer.h"

namespace lowbit::program {

struct Variable {
  AlignedBuffer bytes;
  uint8_t fill = 0;

  void Reset() {
    if (bytes.size()) std::memset(bytes.data(), fill, bytes.size());
  }
};

// Loading asks for variables and puts new ones in, on one thread; a worker may reset them meanwhile. Runs that
// use a variable never overlap: binding/strand.h.
class State {
 public:
  // Null where there is none of this size.
  std::shared_ptr<Variable> Find(uint32_t id, size_t bytes) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = variables_.find(id);
    return found != variables_.end() && found->second->bytes.size() == bytes ? found->second : nullptr;
  }
  // Takes the place of one of another size: the model has been given other shapes.
  void Put(uint32_t id, std::shared_ptr<Variable> variable) {
    const std::lock_guard<std::mutex> lock(mutex_);
    variables_[id] = std::move(variable);
  }
  // Copies of all variables, by their numbers. False where there is not that much memory.
  bool Save(std::map<uint32_t, AlignedBuffer>* copies) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [id, variable] : variables_) {
      AlignedBuffer& copy = (*copies)[id];
      if (!copy.Allocate(variable->bytes.size())) return false;
      std::memcpy(copy.data(), variable->bytes.data(), copy.size());
    }
    return true;
  }
  // Brings them back; variables that have come since are as before the first run.
  void Restore(const std::map<uint32_t, AlignedBuffer>& copies) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [id, variable] : variables_) {
      const auto found = copies.find(id);
      if (found != copies.end() && found->second.size() == variable->bytes.size())
        std::memcpy(variable->bytes.data(), found->second.data(), found->second.size());
      else
        variable->Reset();
    }
  }
  // The next run finds all variables as the first one did.
  void Reset() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [id, variable] : variables_) variable->Reset();
  }

 private:
  mutable std::mutex mutex_;
  std::map<uint32_t, std::shared_ptr<Variable>> variables_;
};

}  // namespace lowbit::program
