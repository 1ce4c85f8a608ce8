// The list of kernel families: one line each.
#include "dispatch/names.h"

#include "dispatch/affine.h"
#include "dispatch/columns_f32.h"
#include "dispatch/depthwise.h"
#include "dispatch/depthwise_f32.h"
#include "dispatch/depthwise_rows.h"
#include "dispatch/depthwise_rows_f32.h"
#include "dispatch/depthwise_s16.h"
#include "dispatch/elementwise.h"
#include "dispatch/gemm.h"
#include "dispatch/gemm_f32.h"
#include "dispatch/gemm_s16.h"
#include "dispatch/gemm_u8.h"
#include "dispatch/gemv.h"
#include "dispatch/gradient_f32.h"
#include "dispatch/grid_f32.h"
#include "dispatch/lut.h"
#include "dispatch/map_f32.h"
#include "dispatch/outer_f32.h"
#include "dispatch/pair_f32.h"
#include "dispatch/plane.h"
#include "dispatch/pool.h"
#include "dispatch/resize.h"
#include "dispatch/rows_f32.h"
#include "dispatch/sum.h"
#include "dispatch/update_f32.h"
#include "dispatch/winograd.h"

namespace lowbit::dispatch {
namespace {

template <typename Lists>
void Add(const Lists& lists, cpu::Isa have, std::vector<const char*>* names) {
  for (const auto* list : lists) {
    for (size_t i = 0; i < list->count; ++i) {
      if (cpu::Has(have, list->first[i].needs)) names->push_back(list->first[i].name);
    }
  }
}

}  // namespace

std::vector<const char*> KernelNames(cpu::Isa have) {
  std::vector<const char*> names;
  Add(gemm_u8::Lists(), have, &names);
  Add(gemm::Lists(), have, &names);
  Add(gemv::Lists(), have, &names);
  Add(winograd::Lists(), have, &names);
  Add(gemm_s16::Lists(), have, &names);
  Add(gemm_f32::Lists(), have, &names);
  Add(outer_f32::Lists(), have, &names);
  Add(depthwise_rows::Lists(), have, &names);
  Add(depthwise::Lists(), have, &names);
  Add(depthwise_s16::Lists(), have, &names);
  Add(depthwise_rows_f32::Lists(), have, &names);
  Add(depthwise_f32::Lists(), have, &names);
  Add(plane::Lists(), have, &names);
  Add(pool::Lists(), have, &names);
  Add(elementwise::Lists(), have, &names);
  Add(affine::Lists(), have, &names);
  Add(sum::Lists(), have, &names);
  Add(lut::Lists(), have, &names);
  Add(map_f32::Lists(), have, &names);
  Add(pair_f32::Lists(), have, &names);
  Add(rows_f32::Lists(), have, &names);
  Add(columns_f32::Lists(), have, &names);
  Add(update_f32::Lists(), have, &names);
  Add(grid_f32::Lists(), have, &names);
  for (const auto* list : gradient_f32::Lists()) {
    for (size_t i = 0; i < list->count; ++i) {
      const auto& row = list->first[i];
      if (cpu::Has(have, row.needs)) names.insert(names.end(), {row.clamp_name, row.max_pool_name});
    }
  }
  Add(resize::Lists(), have, &names);
  return names;
}

}  // namespace lowbit::dispatch
