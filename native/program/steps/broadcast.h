// Walking two operands that broadcast against each other (NumPy's rule), and general strided walks.
#pragma once

#include "program/steps/common.h"

namespace lowbit::program::steps {

// The output as rows along its last merged dimension. Strides are in elements; 0 where an operand is
// repeated.
struct Broadcast {
  int rank = 0;  // of the outer dimensions
  size_t dims[kMaxRank];
  size_t a_strides[kMaxRank], b_strides[kMaxRank];
  size_t rows = 1, cols = 1;  // cols: elements a row
  int a_step = 1, b_step = 1;

  // Offsets of a row in both operands.
  void Locate(size_t row, size_t* a, size_t* b) const {
    *a = *b = 0;
    for (int i = rank; i-- > 0;) {
      const size_t index = row % dims[i];
      row /= dims[i];
      *a += index * a_strides[i];
      *b += index * b_strides[i];
    }
  }
};

// False when the shapes do not broadcast to the output's.
inline bool MakeBroadcast(const Tensor& a, const Tensor& b, const Tensor& out, Broadcast* result) {
  if (std::max(a.rank, b.rank) != out.rank) return false;
  size_t a_stride = 1, b_stride = 1;
  // From the innermost dimension outwards, merging neighbours that both operands treat alike.
  struct Run {
    size_t extent, a, b;
  } runs[kMaxRank];
  int count = 0;
  for (int i = 1; i <= out.rank; ++i) {
    const size_t extent = static_cast<size_t>(out.dims[out.rank - i]);
    const size_t ea = i <= a.rank ? static_cast<size_t>(a.dims[a.rank - i]) : 1;
    const size_t eb = i <= b.rank ? static_cast<size_t>(b.dims[b.rank - i]) : 1;
    if ((ea != extent && ea != 1) || (eb != extent && eb != 1) || (ea != eb && ea != 1 && eb != 1))
      return false;
    if (extent == 1) continue;
    const Run run{extent, ea == 1 ? 0 : a_stride, eb == 1 ? 0 : b_stride};
    a_stride *= ea;
    b_stride *= eb;
    if (count) {
      Run& last = runs[count - 1];
      const bool a_joins = last.a ? run.a == last.a * last.extent : run.a == 0;
      const bool b_joins = last.b ? run.b == last.b * last.extent : run.b == 0;
      if (a_joins && b_joins) {
        last.extent *= extent;
        continue;
      }
    }
    runs[count++] = run;
  }
  if (count) {
    result->cols = runs[0].extent;
    result->a_step = runs[0].a ? 1 : 0;
    result->b_step = runs[0].b ? 1 : 0;
  }
  result->rank = count > 1 ? count - 1 : 0;
  for (int i = 1; i < count; ++i) {
    const int at = count - 1 - i;
    result->dims[at] = runs[i].extent;
    result->a_strides[at] = runs[i].a;
    result->b_strides[at] = runs[i].b;
    result->rows *= runs[i].extent;
  }
  return true;
}

}  // namespace lowbit::program::steps
