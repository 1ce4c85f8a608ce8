// Quantise and dequantise kernels against the scalar ones: halves, ends, infinities, NaN, every length.
#include "dispatch/affine.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "simple_kernels.h"

namespace lowbit::test {
namespace {

using kernels::affine::Kind;
using kernels::affine::Params;
using kernels::affine::Row;

bool Quantizes(Kind kind) { return kind <= Kind::kQuantizeS16; }

LOWBIT_TEST("affine: every row equals the scalar one") {
  const auto same = [](const Row& a, const Row& b) { return a.kind == b.kind; };
  ForPairs(dispatch::affine::Lists(), same, [&](const Row& row, const Row& scalar) {
    const bool is_signed = row.kind == Kind::kQuantizeS8 || row.kind == Kind::kDequantizeS8;
    const int lowest = is_signed ? -128 : 0;
    Random random(9);
    for (const float scale : {1.0f, 0.5f, 0.0078125f, 0.023528477f, 3.7e-5f, 1e-30f, 1e30f}) {
      const Params params{scale, random.Between(lowest, lowest + 255), lowest, lowest + 255};
      for (const size_t count : {0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 1000}) {
        Guarded<uint8_t> in(count * (Quantizes(row.kind) ? sizeof(float) : 1));
        for (auto& x : in) x = static_cast<uint8_t>(random.Next());
        if (Quantizes(row.kind)) {
          float* reals = reinterpret_cast<float*>(in.data());
          const float special[] = {0.0f, -0.0f,       INFINITY,     -INFINITY,
                                   NAN,  0.49999997f, -0.49999997f, 8388609.0f};
          for (size_t i = 0; i < count; ++i) {
            // Mostly halves of the scale, the rest any bits at all.
            if (i % 3 == 0) reals[i] = scale * (0.5f * static_cast<float>(random.Between(-600, 600)));
            if (i % 3 == 1) reals[i] = scale * special[random.Next() % 8];
          }
        }
        Guarded<uint8_t> got(count * (Quantizes(row.kind) ? 1 : sizeof(float)));
        Guarded<uint8_t> want(got.size());
        row.run(params, in.data(), got.data(), count);
        scalar.run(params, in.data(), want.data(), count);
        LOWBIT_CHECK_THAT(
            !count || std::memcmp(got.data(), want.data(), got.size()) == 0,
            std::string(row.name) + ": scale " + std::to_string(scale) + " count " + std::to_string(count));
      }
    }
  });
}

}  // namespace
}  // namespace lowbit::test
