// Byte maps against their definition, at every length around a block.
#include "dispatch/lut.h"

#include "simple_kernels.h"

namespace lowbit::test {
namespace {

LOWBIT_TEST("lut: every row maps as its table says") {
  Random random(1);
  uint8_t table[256];
  for (auto& x : table) x = static_cast<uint8_t>(random.Next());
  for (const kernels::lut::Rows* list : dispatch::lut::Lists()) {
    for (size_t i = 0; i < list->count; ++i) {
      const kernels::lut::Row& row = list->first[i];
      if (!Runs(row)) continue;
      for (size_t count = 0; count < 600; ++count) {
        Guarded<uint8_t> in(count), out(count);
        for (size_t k = 0; k < count; ++k) in[k] = static_cast<uint8_t>(k + 7 * count);
        row.run(table, in.data(), out.data(), count);
        for (size_t k = 0; k < count; ++k) {
          LOWBIT_CHECK_THAT(out[k] == table[in[k]],
                            std::string(row.name) + " count " + std::to_string(count));
        }
        row.run(table, in.data(), in.data(), count);
        for (size_t k = 0; k < count; ++k) {
          LOWBIT_CHECK_THAT(in[k] == out[k],
                            std::string(row.name) + " in place, count " + std::to_string(count));
        }
      }
    }
  }
}

}  // namespace
}  // namespace lowbit::test
