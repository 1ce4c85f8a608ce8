// What a program keeps of its constants while it is loaded.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "program/step.h"
#include "program/weights.h"

namespace lowbit::program {

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
    if (tensor.is_lent()) return Operand::Lent(tensor.source);
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
  std::map<std::pair<const uint8_t*, size_t>, const uint8_t*> copies_;
  const uint64_t room_;  // beside the arena
  uint64_t bytes_ = 0, packed_ = 0, shared_bytes_ = 0;
  bool failed_ = false;
};

}  // namespace lowbit::program
