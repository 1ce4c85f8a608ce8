// Changes programs as their format has it: extents with the byte counts that follow from them, places,
// operands, kinds of steps, attributes. Plain changes of bytes seldom get past the loader's first checks.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#include "fuzz_case.h"
#include "program/format.h"
#include "program/step.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace lowbit::fuzz {
namespace {

using program::AttributeRecord;
using program::Dtype;
using program::Header;
using program::Section;
using program::StepRecord;
using program::TensorRecord;

class Mutator {
 public:
  // The bytes of a case; only the program in it is changed, and keeps its length.
  Mutator(uint8_t* program, size_t size, uint32_t seed) : program_(program), size_(size), state_(seed) {}

  void Change() {
    std::memcpy(&header_, program_, sizeof header_);
    switch (Below(10)) {
      case 0:
      case 1:
        return ChangeExtent();
      case 2:
        return ChangePlace();
      case 3:
        return ChangeOperand();
      case 4:
        return ChangeStep();
      case 5:
        return ChangeType();
      case 6:
        return ChangeHeader();
      default:
        return ChangeAttribute();
    }
  }

 private:
  uint32_t Next() {
    state_ = state_ * 1664525u + 1013904223u;
    return state_ >> 8 ^ state_ << 13;
  }
  uint32_t Below(uint32_t limit) { return limit ? Next() % limit : 0; }

  // Where a random record of a section lies, or null.
  template <typename T>
  uint8_t* Pick(const Section& section) {
    if (!section.count) return nullptr;
    const uint64_t at = section.offset + uint64_t{Below(section.count)} * sizeof(T);
    return at + sizeof(T) <= size_ ? program_ + at : nullptr;
  }
  template <typename T>
  static T Read(const uint8_t* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }

  // A number near another, or one at which something ends.
  int32_t Number(int32_t old) {
    static constexpr int32_t kEnds[] = {
        0,    1,     -1,     2,     3,     4,       7,       8,       9,         15,
        16,   17,    30,     31,    32,    33,      63,      64,      65,        127,
        128,  -127,  -128,   -129,  255,   256,     257,     1023,    1024,      4095,
        4096, 32767, -32768, 65535, 65536, 1 << 20, 1 << 24, 1 << 30, INT32_MAX, INT32_MIN};
    switch (Below(5)) {
      case 0:
        return static_cast<int32_t>(static_cast<uint32_t>(old) + 1);
      case 1:
        return static_cast<int32_t>(static_cast<uint32_t>(old) - 1);
      case 2:
        return static_cast<int32_t>(static_cast<uint32_t>(old) * (1u << Below(4)));
      case 3:
        return static_cast<int32_t>(Next() >> Below(32));
      default:
        return kEnds[Below(sizeof kEnds / sizeof kEnds[0])];
    }
  }

  static uint64_t BytesOf(const TensorRecord& tensor) {
    static constexpr uint64_t kBits[] = {8, 4, 8, 8, 16, 32, 64, 16, 32, 64};
    const auto dtype = static_cast<uint32_t>(tensor.dtype);
    uint64_t count = 1;
    for (int i = 0; i < std::min(tensor.rank, program::kMaxRank); ++i)
      count *= static_cast<uint64_t>(tensor.dims[i]);
    return (count * kBits[std::min<uint32_t>(dtype, 9)] + 7) / 8;
  }

  // Writes a tensor back, as a rule with the bytes that its shape has and a place that holds them.
  void Put(uint8_t* at, TensorRecord tensor) {
    if (Below(8)) {
      tensor.bytes = BytesOf(tensor);
      if (tensor.where == program::Where::kArena && tensor.bytes <= header_.arena_bytes && Below(4))
        tensor.offset = std::min(tensor.offset, (header_.arena_bytes - tensor.bytes) / 8 * 8);
    }
    std::memcpy(at, &tensor, sizeof tensor);
  }

  void ChangeExtent() {
    uint8_t* at = Pick<TensorRecord>(header_.tensors);
    if (!at) return;
    auto tensor = Read<TensorRecord>(at);
    const uint32_t axis = Below(program::kMaxRank);
    const uint32_t rank = static_cast<uint32_t>(std::clamp(tensor.rank, 1, program::kMaxRank));
    switch (Below(6)) {
      case 0:
        tensor.rank = static_cast<int32_t>(Below(program::kMaxRank + 1));
        for (uint32_t i = rank; i < static_cast<uint32_t>(tensor.rank); ++i) tensor.dims[i] = 1;
        break;
      case 1:
        std::swap(tensor.dims[axis % rank], tensor.dims[Below(rank)]);
        break;
      case 2:
        tensor.dims[axis % rank] = 0;
        break;
      default:
        tensor.dims[axis % rank] = Number(tensor.dims[axis % rank]);
    }
    // The same for every tensor of that shape, so that operands go on fitting together.
    const auto old = Read<TensorRecord>(at);
    const bool all = Below(2);
    Put(at, tensor);
    for (uint32_t i = 0; all && i < header_.tensors.count; ++i) {
      const uint64_t other = header_.tensors.offset + uint64_t{i} * sizeof tensor;
      if (other + sizeof tensor > size_) return;
      auto record = Read<TensorRecord>(program_ + other);
      if (record.rank != old.rank || std::memcmp(record.dims, old.dims, sizeof old.dims) != 0) continue;
      record.rank = tensor.rank;
      std::copy(tensor.dims, tensor.dims + program::kMaxRank, record.dims);
      Put(program_ + other, record);
    }
  }

  void ChangePlace() {
    uint8_t* at = Pick<TensorRecord>(header_.tensors);
    const uint8_t* other = Pick<TensorRecord>(header_.tensors);
    if (!at || !other) return;
    auto tensor = Read<TensorRecord>(at);
    switch (Below(4)) {
      case 0:
        tensor.where = static_cast<program::Where>(Below(2));
        tensor.source = Below(4);
        break;
      case 1:
        tensor.offset = Read<TensorRecord>(other).offset;
        break;
      case 2:
        tensor.offset += int64_t{1 + Below(64)} * (Below(2) ? 1 : -1);
        break;
      default:
        tensor.offset =
            Below(2) ? Below(static_cast<uint32_t>(header_.arena_bytes)) : static_cast<uint64_t>(Number(0));
    }
    std::memcpy(at, &tensor, sizeof tensor);
  }

  void ChangeType() {
    uint8_t* at = Pick<TensorRecord>(header_.tensors);
    if (!at) return;
    const auto old = Read<TensorRecord>(at);
    const auto dtype = static_cast<Dtype>(Below(10));
    const bool all = Below(2);
    for (uint32_t i = 0; i < header_.tensors.count; ++i) {
      const uint64_t other = header_.tensors.offset + uint64_t{i} * sizeof old;
      if (other + sizeof old > size_) return;
      auto record = Read<TensorRecord>(program_ + other);
      if (program_ + other != at && (!all || record.dtype != old.dtype)) continue;
      record.dtype = dtype;
      Put(program_ + other, record);
    }
  }

  void ChangeOperand() {
    static constexpr int kLists = 3;
    const Section lists[kLists] = {header_.operands, header_.inputs, header_.outputs};
    const uint32_t which = Below(5);
    uint8_t* at = Pick<int32_t>(lists[which < kLists ? which : 0]);
    if (!at) return;
    const int32_t tensor = static_cast<int32_t>(Below(header_.tensors.count + 1)) - 1;
    std::memcpy(at, &tensor, sizeof tensor);
  }

  void ChangeStep() {
    uint8_t* at = Pick<StepRecord>(header_.steps);
    if (!at) return;
    auto step = Read<StepRecord>(at);
    switch (Below(4)) {
      case 0:
        step.kind = Below(static_cast<uint32_t>(program::StepKinds().size));
        break;
      case 1:
        step.first_operand = Below(header_.operands.count);
        break;
      case 2:
        (Below(2) ? step.input_count : step.output_count) = Below(5);
        break;
      default:
        step.first_attribute = Below(header_.attributes.count + 1);
        step.attribute_count = Below(header_.attributes.count - step.first_attribute + 1);
    }
    std::memcpy(at, &step, sizeof step);
  }

  void ChangeHeader() {
    Header header = header_;
    switch (Below(3)) {
      case 0:
        header.arena_bytes = Below(1 << 16);
        break;
      case 1: {
        Section* const sections[] = {&header.tensors, &header.operands, &header.steps,    &header.attributes,
                                     &header.inputs,  &header.outputs,  &header.variables};
        Section& section = *sections[Below(7)];
        if (Below(4)) {
          section.count = Below(section.count + 2);
        } else {
          section.offset = Below(static_cast<uint32_t>(size_)) / 4 * 4;
        }
        break;
      }
      case 2:
        header.main_count = Below(header.steps.count + 2);
        break;
      default:
        header.magic = program::kMagic;
        header.version = program::kVersion;
        header.total_bytes = size_;
    }
    std::memcpy(program_, &header, sizeof header);
  }

  void ChangeAttribute() {
    uint8_t* at = Pick<AttributeRecord>(header_.attributes);
    if (!at) return;
    auto attribute = Read<AttributeRecord>(at);
    if (Below(16) == 0) {
      if (Below(2)) {
        attribute.count = static_cast<uint32_t>(Number(static_cast<int32_t>(attribute.count)));
      } else {
        const uint8_t* other = Pick<AttributeRecord>(header_.attributes);
        if (other) attribute.value_offset = Read<AttributeRecord>(other).value_offset;
      }
      std::memcpy(at, &attribute, sizeof attribute);
      return;
    }
    const bool is_wide = attribute.kind == program::Kind::kFloat64,
               is_bytes = attribute.kind == program::Kind::kBytes;
    const uint64_t element = is_wide ? 8 : is_bytes ? 1 : 4;
    const uint64_t place = attribute.value_offset + Below(attribute.count) * element;
    if (place < sizeof(Header) || place > size_ || size_ - place < element) return;
    uint8_t* const value = program_ + place;
    if (is_wide) {
      const double real = Real(Read<double>(value));
      std::memcpy(value, &real, sizeof real);
    } else if (is_bytes) {
      *value = static_cast<uint8_t>(Next());
    } else if (attribute.kind == program::Kind::kFloat32) {
      const float real = Narrow(Real(Read<float>(value)));
      std::memcpy(value, &real, sizeof real);
    } else {
      const int32_t number = Number(Read<int32_t>(value));
      std::memcpy(value, &number, sizeof number);
    }
  }

  double Real(double old) {
    using Limits = std::numeric_limits<double>;
    const double ends[] = {0,
                           -0.0,
                           1,
                           -1,
                           0.5,
                           1e-30,
                           1e30,
                           2147483647.5,
                           -2147483648.5,
                           Limits::infinity(),
                           -Limits::infinity(),
                           Limits::quiet_NaN(),
                           Limits::denorm_min()};
    switch (Below(3)) {
      case 0:
        return old * 2;
      case 1:
        return old / 3;
      default:
        return ends[Below(sizeof ends / sizeof ends[0])];
    }
  }
  // Beyond float's range is infinity, in words: the conversion is undefined.
  static float Narrow(double x) {
    using Limits = std::numeric_limits<float>;
    return x > Limits::max()    ? Limits::infinity()
           : x < -Limits::max() ? -Limits::infinity()
                                : static_cast<float>(x);
  }

  uint8_t* const program_;
  const size_t size_;
  uint32_t state_;
  Header header_{};
};

}  // namespace
}  // namespace lowbit::fuzz

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  lowbit::fuzz::Case one;
  if (seed % 8 == 0 || !lowbit::fuzz::Split({data, size}, &one) ||
      one.program.size < sizeof(lowbit::program::Header))
    return LLVMFuzzerMutate(data, size, max_size);
  uint8_t* const program = data + (one.program.data - data);
  lowbit::fuzz::Mutator mutator(program, one.program.size, seed);
  for (unsigned int left = 1 + seed / 8 % 3; left > 0; --left) mutator.Change();
  // Sometimes the blocks as well: weights and biases.
  if (seed / 64 % 8 == 0 && !one.blocks.empty()) {
    const auto& block = one.blocks[seed / 512 % one.blocks.size()];
    if (block.size) LLVMFuzzerMutate(data + (block.data - data), block.size, block.size);
  }
  return size;
}
