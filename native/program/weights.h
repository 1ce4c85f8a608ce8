// Packed weights that the programs of one model share, so that another shape or another choice of outputs
// packs nothing twice. Each lives as long as some program uses it; the list itself only finds them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/aligned_buffer.h"

namespace lowbit::program {

using SharedBuffer = std::shared_ptr<const AlignedBuffer>;

// Used by the thread that loads programs alone; the buffers may die on any.
class Weights {
 public:
  // Null when no living program has it.
  SharedBuffer Find(const std::string& key) const {
    const auto found = known_.find(key);
    return found == known_.end() ? nullptr : found->second.lock();
  }
  void Add(const std::string& key, const SharedBuffer& buffer) { known_[key] = buffer; }
  // Forgets what no program uses any longer.
  void Prune() {
    for (auto it = known_.begin(); it != known_.end();) {
      if (it->second.expired()) {
        it = known_.erase(it);
      } else {
        ++it;
      }
    }
  }

 private:
  std::map<std::string, std::weak_ptr<const AlignedBuffer>> known_;
};

// What packed bytes depend on, written one after the other: `Key().With(a).With(b)`. Only for types without
// padding.
class Key {
 public:
  template <typename T>
  Key& With(const T& value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof(T));
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace lowbit::program
