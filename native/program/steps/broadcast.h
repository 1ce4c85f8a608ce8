// Walking operands that broadcast against each other (NumPy's rule), element by element.
#pragma once

#include "program/steps/common.h"

namespace lowbit::program::steps {

// The output as rows along its last merged dimension. Strides are in elements; 0 where an operand is
// repeated.
template <int N>
struct Broadcast {
  int rank = 0;  // of the outer dimensions
  size_t dims[kMaxRank];
  size_t strides[N][kMaxRank];
  size_t rows = 1, cols = 1;  // cols: elements a row
  int step[N];                // of each operand along a row: 1 or 0

  // Offsets of a row in the operands.
  void Locate(size_t row, size_t (&at)[N]) const {
    for (size_t& offset : at) offset = 0;
    for (int i = rank; i-- > 0;) {
      const size_t index = row % dims[i];
      row /= dims[i];
      for (int k = 0; k < N; ++k) at[k] += index * strides[k][i];
    }
  }
};

// False when the shapes do not broadcast to the output's.
template <int N>
bool MakeBroadcast(const Tensor* const (&operands)[N], const Tensor& out, Broadcast<N>* result) {
  int rank = 0;
  for (const Tensor* operand : operands) rank = std::max(rank, operand->rank);
  if (rank != out.rank) return false;
  // From the innermost dimension outwards, merging neighbours that all operands treat alike.
  struct Run {
    size_t extent, strides[N];
  } runs[kMaxRank];
  int count = 0;
  size_t passed[N];  // elements of each operand further in
  for (size_t& elements : passed) elements = 1;
  for (int i = 1; i <= rank; ++i) {
    Run run{static_cast<size_t>(out.dims[rank - i]), {}};
    bool full = run.extent == 1;
    for (int k = 0; k < N; ++k) {
      const Tensor& operand = *operands[k];
      const size_t extent = i <= operand.rank ? static_cast<size_t>(operand.dims[operand.rank - i]) : 1;
      if (extent != run.extent && extent != 1) return false;
      full = full || extent == run.extent;
      run.strides[k] = extent == 1 ? 0 : passed[k];
      passed[k] *= extent;
    }
    if (!full) return false;  // the output's extent comes from no operand
    if (run.extent == 1) continue;
    bool joins = count > 0;
    for (int k = 0; joins && k < N; ++k) {
      const size_t last = runs[count - 1].strides[k];
      joins = run.strides[k] == last * runs[count - 1].extent;
    }
    if (joins) {
      runs[count - 1].extent *= run.extent;
    } else {
      runs[count++] = run;
    }
  }
  if (count) result->cols = runs[0].extent;
  for (int k = 0; k < N; ++k) result->step[k] = count && runs[0].strides[k] == 0 ? 0 : 1;
  result->rank = count > 1 ? count - 1 : 0;
  for (int i = 1; i < count; ++i) {
    const int at = count - 1 - i;
    result->dims[at] = runs[i].extent;
    for (int k = 0; k < N; ++k) result->strides[k][at] = runs[i].strides[k];
    result->rows *= runs[i].extent;
  }
  return true;
}

// Both operands of the given type, and their shapes.
inline Status CheckBinary(const StepArgs& args, Dtype dtype, Broadcast<2>* shape) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  if (args.input(0).dtype != dtype || args.input(1).dtype != dtype)
    return args.Fail(Code::kTypeMismatch, "operands differ in type");
  if (!MakeBroadcast<2>({&args.input(0), &args.input(1)}, args.output(0), shape))
    return args.Fail(Code::kShapeMismatch, "shapes do not broadcast to the output's");
  return Status();
}

// Two operands of which one, of few elements, repeats row by row (channels against pixels): laid out several
// times side by side, it makes long rows, which kernels like better.
class Repeats {
 public:
  explicit Repeats(const Broadcast<2>& shape) : rows_(shape.rows), cols_(shape.cols) {
    constexpr size_t kShort = 512, kLong = 2048;
    if (shape.rank != 1 || !shape.step[0] || !shape.step[1] || cols_ > kShort) return;
    for (int k = 0; k < 2; ++k) {
      if (shape.strides[k][0] != 0 || shape.strides[1 - k][0] != cols_) continue;
      operand_ = k;
      copies_ = std::min(rows_, kLong / cols_);
    }
  }
  bool any() const { return operand_ >= 0; }
  size_t scratch_bytes(size_t element_bytes) const { return copies_ * cols_ * element_bytes; }

  // Calls work(a, b, out, count) for pieces of the output; `copies` is scratch memory.
  template <typename T, typename Work>
  void Run(const RunContext& run, const T* a, const T* b, T* out, T* copies, size_t grain,
           const Work& work) const {
    const T* const few = operand_ ? b : a;
    for (size_t i = 0; i < copies_; ++i) std::copy_n(few, cols_, copies + i * cols_);
    Split(run, rows_, grain / cols_, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; row += copies_) {
        const size_t at = row * cols_, count = std::min(copies_, end - row) * cols_;
        work(operand_ ? a + at : copies, operand_ ? copies : b + at, out + at, count);
      }
    });
  }

 private:
  int operand_ = -1;
  size_t rows_, cols_, copies_ = 0;
};

// Calls work(offsets of the operands, offset of the output, count) for pieces of rows; offsets in elements.
template <int N, typename Work>
void Walk(const RunContext& run, const Broadcast<N>& shape, size_t grain, const Work& work) {
  if (shape.rows == 1) {
    Split(run, shape.cols, grain, [&](size_t begin, size_t end) {
      size_t at[N];
      for (int k = 0; k < N; ++k) at[k] = begin * static_cast<size_t>(shape.step[k]);
      work(at, begin, end - begin);
    });
    return;
  }
  Split(run, shape.rows, grain / (shape.cols + 1), [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      size_t at[N];
      shape.Locate(row, at);
      work(at, row * shape.cols, shape.cols);
    }
  });
}

}  // namespace lowbit::program::steps
