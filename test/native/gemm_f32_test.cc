// Float32 and 16x8 GEMM kernels against the definition.
#include "dispatch/gemm_f32.h"

#include <cmath>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "block.h"
#include "check.h"
#include "dispatch/gemm_s16.h"
#include "guarded.h"
#include "kernels/requantize/wide.h"
#include "rows.h"

namespace lowbit::test {
namespace {

using testing::Guarded;
using testing::Random;

LOWBIT_TEST("gemm_f32: every row lies within the bound of its contract") {
  uint32_t seed = 1;
  for (const kernels::gemm_f32::Rows* list : dispatch::gemm_f32::Lists()) {
    for (size_t r = 0; r < list->count; ++r) {
      const kernels::gemm_f32::Row& row = list->first[r];
      if (!Runs(row)) continue;
      for (int rows : {1, 2, 3, 4, 5, 6, 7, 8, 2 * row.mr + 1}) {
        for (int cols : {1, row.nr / 2 + 1, row.nr, 2 * row.nr + 1}) {
          for (int depth : {0, 1, 7, 64, 301}) {
            Random random(++seed);
            const size_t m = static_cast<size_t>(rows), n = static_cast<size_t>(cols);
            const size_t run = static_cast<size_t>(depth), run_count = seed % 3 + 1, k = run * run_count;
            const size_t nr = static_cast<size_t>(row.nr), panels = (n + nr - 1) / nr;
            AlignedBuffer packed, bias;
            LOWBIT_CHECK(packed.Allocate(panels * k * nr * sizeof(float)) &&
                         bias.Allocate(panels * nr * sizeof(float)));
            const auto weight = [&](size_t d, size_t c) -> float& {
              return packed.as<float>()[c / nr * k * nr + d * nr + c % nr];
            };
            Guarded<float> lhs(m * k), out(m * n);
            const auto real = [&] { return static_cast<float>(random.Between(-1000, 1000)) / 256.0f; };
            for (auto& a : lhs) a = real();
            for (size_t d = 0; d < k; ++d) {
              for (size_t c = 0; c < n; ++c) weight(d, c) = real();
            }
            for (size_t c = 0; c < n; ++c) bias.as<float>()[c] = real();
            const testing::LhsRows<float> lhs_rows(lhs.data(), m, k, run_count, run);
            row.run(
                testing::BlockOf(lhs_rows, depth, packed.data(), k * nr * sizeof(float), out.data(), n, n),
                {bias.as<float>(), -30.0f, 25.0f});
            for (size_t i = 0; i < m; ++i) {
              for (size_t c = 0; c < n; ++c) {
                double sum = bias.as<float>()[c], size = std::fabs(sum);
                for (size_t d = 0; d < k; ++d) {
                  const double product = double{lhs[i * k + d]} * weight(d, c);
                  sum += product;
                  size += std::fabs(product);
                }
                const double want = sum < -30 ? -30 : sum > 25 ? 25 : sum;
                LOWBIT_CHECK_THAT(
                    std::fabs(out[i * n + c] - want) <= static_cast<double>(k + 2) * 5.97e-8 * size,
                    std::string(row.name) + " seed " + std::to_string(seed));
              }
            }
          }
        }
      }
    }
  }
}

LOWBIT_TEST("gemm_s16: every row equals the definition, also at the ends of the types") {
  uint32_t seed = 1;
  for (const kernels::gemm_s16::Rows* list : dispatch::gemm_s16::Lists()) {
    for (size_t r = 0; r < list->count; ++r) {
      const kernels::gemm_s16::Row& row = list->first[r];
      if (!Runs(row)) continue;
      for (int rows : {1, 2, 3, 4, 5, 6, 7, 8, 2 * row.mr + 1}) {
        for (int cols : {1, row.nr - 1, row.nr, 2 * row.nr + 1}) {
          for (int depth : {1, 9, 255, 509, 510, 511, 1030}) {
            Random random(++seed);
            const bool ends = seed % 3 == 0;
            const size_t m = static_cast<size_t>(rows), n = static_cast<size_t>(cols);
            const size_t run = static_cast<size_t>(depth), run_count = seed % 3 + 1, k = run * run_count;
            const size_t nr = static_cast<size_t>(row.nr), panels = (n + nr - 1) / nr;
            AlignedBuffer packed;
            const size_t padded = (run + 1) / 2 * 2, panel_bytes = run_count * padded * nr * sizeof(int16_t);
            LOWBIT_CHECK(packed.Allocate(panels * panel_bytes));
            const auto weight = [&](size_t d, size_t c) -> int16_t& {
              const size_t at = d / run * padded + d % run;
              return packed
                  .as<int16_t>()[c / nr * run_count * padded * nr + at / 2 * 2 * nr + c % nr * 2 + at % 2];
            };
            Guarded<int16_t> lhs(m * k + padded - run), out(m * n);
            for (auto& a : lhs) a = static_cast<int16_t>(ends ? -32768 : random.Between(-32768, 32767));
            for (size_t d = 0; d < k; ++d) {
              for (size_t c = 0; c < n; ++c) {
                weight(d, c) = static_cast<int16_t>(ends ? -128 : random.Between(-128, 127));
              }
            }
            std::vector<int64_t> bias(panels * nr);
            std::vector<int32_t> multiplier(panels * nr), shift(panels * nr);
            for (size_t c = 0; c < n; ++c) {
              bias[c] = int64_t{random.Between(-1000000, 1000000)} * 1000;
              multiplier[c] = random.Between(1 << 30, INT32_MAX);
              shift[c] = random.Between(-20, 2);
            }
            const testing::LhsRows<int16_t> lhs_rows(lhs.data(), m, k, run_count, run);
            row.run(testing::BlockOf(lhs_rows, static_cast<int>(padded), packed.data(), panel_bytes,
                                     out.data(), n, n),
                    {bias.data(), multiplier.data(), shift.data(), nullptr, -32768, 30000});
            for (size_t i = 0; i < m; ++i) {
              for (size_t c = 0; c < n; ++c) {
                int64_t sum = bias[c];
                for (size_t d = 0; d < k; ++d) sum += int64_t{lhs[i * k + d]} * weight(d, c);
                const int32_t scaled = kernels::MultiplyWide(sum, multiplier[c], shift[c]);
                const int32_t want = scaled < -32768 ? -32768 : scaled > 30000 ? 30000 : scaled;
                LOWBIT_CHECK_THAT(out[i * n + c] == want,
                                  std::string(row.name) + " seed " + std::to_string(seed));
              }
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace lowbit::test
