// What many steps need: sizes of elements, checks of operands, splitting work among threads.
//
// The loader refuses outputs that overlap other operands (overlap.h). Whatever lies in the arena, steps stay
// inside their tensors: an index from there is checked before it is followed (slices.h).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "program/step.h"

namespace lowbit::program::steps {

// Bytes of one element; 0 for types whose elements share bytes.
inline size_t ElementBytes(Dtype dtype) {
  switch (dtype) {
    case Dtype::kBool:
    case Dtype::kInt8:
    case Dtype::kUint8:
      return 1;
    case Dtype::kInt16:
    case Dtype::kUint16:
    case Dtype::kFloat16:
    case Dtype::kBfloat16:
      return 2;
    case Dtype::kInt32:
    case Dtype::kUint32:
    case Dtype::kFloat32:
      return 4;
    case Dtype::kInt64:
    case Dtype::kFloat64:
    case Dtype::kComplex64:
      return 8;
    default:
      return 0;
  }
}

inline Status ExpectOperands(const StepArgs& args, int inputs, int outputs) {
  bool fits = args.input_count() == inputs && args.output_count() == outputs;
  for (int i = 0; fits && i < inputs; ++i) fits = args.has_input(i);
  return fits ? Status()
              : args.Fail(Code::kInvalid, "takes " + std::to_string(inputs) + " inputs and " +
                                              std::to_string(outputs) + " outputs");
}

inline bool SameShape(const Tensor& a, const Tensor& b) {
  return a.rank == b.rank && std::equal(a.dims, a.dims + a.rank, b.dims);
}

// An attribute of one integer in [low, high].
#define LOWBIT_STEP_INT(name, low, high) \
  int name = 0;                          \
  LOWBIT_RETURN_IF_ERROR(args.Int(#name, low, high, &name))

// All of them float32 of rank 4: else a type mismatch.
inline Status ExpectRealImages(const StepArgs& args, std::initializer_list<const Tensor*> tensors) {
  for (const Tensor* tensor : tensors) {
    if (tensor->dtype != Dtype::kFloat32 || tensor->rank != 4)
      return args.Fail(Code::kTypeMismatch, "takes and gives float32 of rank 4");
  }
  return Status();
}

// Calls work(begin, end) for ranges that cover [0, count). `grain` is how much is worth another thread (some
// microseconds); less than two grains stay on this one.
template <typename Work>
inline void Split(const RunContext& run, size_t count, size_t grain, const Work& work) {
  grain = std::max<size_t>(1, grain);
  if (run.threads < 2 || count < 2 * grain) {
    if (count) work(size_t{0}, count);
    return;
  }
  const size_t chunks = std::min(count / grain, static_cast<size_t>(run.threads) * 4);
  run.pool->For(chunks, run.threads, [&](size_t i, int /*slot*/) noexcept {
    const size_t each = count / chunks, more = count % chunks;
    const size_t begin = i * each + std::min(i, more);
    work(begin, begin + each + (i < more ? 1 : 0));
  });
}

}  // namespace lowbit::program::steps
