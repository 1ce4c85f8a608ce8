// One step of an optimiser: new parameters from old ones and their gradients; float32.
#pragma once

#include <stddef.h>

#include "cpu/isa.h"

namespace lowbit::kernels::update_f32 {

// As the step `update` numbers them, with their numbers in this order. Source: TensorFlow.js, optimizers.
// w: values, g: gradients, m and v: the state. Every operation is rounded by itself, in the order written.
enum class Method {
  kSgd,       // minus_rate: w' = minus_rate g + w
  kMomentum,  // minus_rate, momentum: m' = momentum m + g; w' = minus_rate m' + w
  kNesterov,  // the same: m' as there; w' = minus_rate (g + m' momentum) + w
  // minus_rate, beta1, rest1, correction1, beta2, rest2, correction2, epsilon: m' = m beta1 + g rest1;
  // v' = v beta2 + (g g) rest2; w' = (m' / correction1) / (sqrt(v' / correction2) + epsilon) minus_rate + w
  kAdam,
  kMethods  // their number
};
constexpr int kMostNumbers = 8;

constexpr int NumbersOf(Method method) {
  return method == Method::kSgd ? 1 : method == Method::kAdam ? 8 : 2;
}
constexpr int StatesOf(Method method) { return method == Method::kSgd ? 0 : method == Method::kAdam ? 2 : 1; }

// Arrays that the method does not have are null; results may overlap nothing.
struct Arrays {
  const float *w, *g, *m, *v;
  float *new_w, *new_m, *new_v;
};

// Every row gives the same bits.
using Kernel = void (*)(const Arrays& arrays, size_t count, const float* numbers);
struct Row {
  const char* name;
  cpu::Isa needs;
  Method method;
  Kernel run;
};
struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::update_f32
