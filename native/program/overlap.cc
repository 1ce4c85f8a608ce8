// Finds operands of a step that share memory where they must not.
#include "program/overlap.h"

namespace lowbit::program {
namespace {

constexpr size_t kMostOutputs = 64;  // more than any step has; each is compared with all operands

bool Overlap(const Tensor& a, const Tensor& b) {
  return a.where == b.where && a.source == b.source && !a.is_constant() && a.bytes > 0 && b.bytes > 0 &&
         a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

bool IsSame(const Tensor& a, const Tensor& b) {
  return a.where == b.where && a.source == b.source && a.offset == b.offset && a.bytes == b.bytes;
}

}  // namespace

std::string FindOverlap(Span<const Tensor* const> operands, size_t input_count, uint32_t in_place) {
  const size_t outputs = operands.size - input_count;
  if (outputs > kMostOutputs) return "it has " + std::to_string(outputs) + " outputs";
  for (size_t o = 0; o < outputs; ++o) {
    const Tensor& output = *operands[input_count + o];
    for (size_t i = 0; i < input_count + o; ++i) {
      if (!operands[i] || !Overlap(output, *operands[i])) continue;
      const bool may_share = o == 0 && i < input_count && i < 32 && (in_place >> i & 1);
      if (may_share && IsSame(output, *operands[i])) continue;
      return "output " + std::to_string(o) + " overlaps operand " + std::to_string(i);
    }
  }
  return "";
}

}  // namespace lowbit::program
