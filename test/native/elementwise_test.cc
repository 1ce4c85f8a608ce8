// Quantised ADD, SUB and MUL kernels against the scalar ones: all pairs of codes, factors of every shift,
// every length.
#include "dispatch/elementwise.h"

#include <cstring>

#include "simple_kernels.h"

namespace lowbit::test {
namespace {

using kernels::elementwise::Factor;
using kernels::elementwise::Kind;
using kernels::elementwise::Params;
using kernels::elementwise::Row;

bool IsWide(Kind kind) { return kind == Kind::kAddS16 || kind == Kind::kMulS16; }
bool IsSigned(Kind kind) { return kind == Kind::kAddS8 || kind == Kind::kMulS8; }

Params MakeParams(Kind kind, Random* random, Factor a, Factor b, Factor output) {
  const int lowest = IsSigned(kind) ? -128 : 0;
  Params params{};
  params.left_shift = 20;
  params.a_zero = random->Between(lowest, lowest + 255);
  params.b_zero = random->Between(lowest, lowest + 255);
  params.a = a;
  params.b = b;
  params.output = output;
  params.b_sign = random->Next() % 2 ? 1 : -1;
  params.zero_point = random->Between(lowest, lowest + 255);
  const bool clamps = random->Next() % 2;
  params.low = clamps ? lowest + 40 : lowest;
  params.high = clamps ? lowest + 190 : lowest + 255;
  return params;
}

void Compare(const Row& row, const Row& scalar, const Params& params, size_t count, int a_step, int b_step,
             const uint8_t* codes, const std::string& what, std::string* why) {
  Guarded<uint8_t> a(a_step ? count : 1), b(b_step ? count : 1), got(count), want(count);
  for (size_t i = 0; i < a.size(); ++i) a[i] = codes[2 * i];
  for (size_t i = 0; i < b.size(); ++i) b[i] = codes[2 * i + 1];
  row.run(params, a.data(), a_step, b.data(), b_step, got.data(), count);
  scalar.run(params, a.data(), a_step, b.data(), b_step, want.data(), count);
  LOWBIT_CHECK_THAT(!count || std::memcmp(got.data(), want.data(), count) == 0,
                    std::string(row.name) + ": " + what);
}

LOWBIT_TEST("elementwise: every row of bytes equals the scalar one") {
  const auto same = [](const Row& a, const Row& b) { return a.kind == b.kind; };
  uint8_t pairs[2 * 65536];
  for (int i = 0; i < 65536; ++i) {
    pairs[2 * i] = static_cast<uint8_t>(i >> 8);
    pairs[2 * i + 1] = static_cast<uint8_t>(i);
  }
  ForPairs(dispatch::elementwise::Lists(), same, [&](const Row& row, const Row& scalar) {
    if (IsWide(row.kind)) return;
    Random random(3);
    const Factor half{1 << 30, 0};
    // All pairs of codes, for factors of every size; the result's shift around the usual -19 and at its ends.
    for (int round = 0; round < 80 && why->empty(); ++round) {
      const auto factor = [&](int shift) { return Factor{random.Between(1 << 30, INT32_MAX), -shift}; };
      const Factor a = round % 3 == 0 ? half : factor(round % 32);
      const Factor b = round % 3 == 1 ? half : factor((round / 2) % 32);
      const Params params = MakeParams(row.kind, &random, a, b, factor(round < 32 ? round : 14 + round % 8));
      Compare(row, scalar, params, 65536, 1, 1, pairs, "round " + std::to_string(round), why);
    }
    // Factors as networks have them, those that make ties common among them.
    for (int round = 0; round < 60 && why->empty(); ++round) {
      const auto factor = [&](int shift) {
        return Factor{round % 4 ? random.Between(1 << 30, INT32_MAX) : 1 << 30, -shift};
      };
      const bool a_is_larger = round % 2;
      const Factor a = a_is_larger ? half : factor(round % 3), b = a_is_larger ? factor(round % 3) : half;
      const Params params = MakeParams(row.kind, &random, a, b, factor(17 + round % 5));
      Compare(row, scalar, params, 65536, 1, 1, pairs, "usual round " + std::to_string(round), why);
    }
    // Operands shifted so far that every unit of theirs shows in the result, which shifts little.
    for (int round = 0; round < 60 && why->empty(); ++round) {
      const auto factor = [&](int shift) { return Factor{random.Between(1 << 30, INT32_MAX), -shift}; };
      const bool product = row.kind == Kind::kMulS8 || row.kind == Kind::kMulU8;
      const Factor output = factor(product ? 8 + round % 4 : round % 4);
      const Params params =
          MakeParams(row.kind, &random, factor(20 + round % 5), factor(20 + round / 5 % 5), output);
      Compare(row, scalar, params, 65536, 1, 1, pairs, "fine round " + std::to_string(round), why);
    }
    // Ties in the operand's own rounding: equal codes cancel all but the last bits of d * 2^19 and d * 2^19 +
    // d / 2.
    for (const int32_t extra : {1023, 1024, 1025, -1024, 3072}) {
      Params params = MakeParams(row.kind, &random, half, {(1 << 30) + extra, 0}, {INT32_MAX, 0});
      params.b_zero = params.a_zero;
      params.b_sign = -1;
      if (why->empty()) Compare(row, scalar, params, 65536, 1, 1, pairs, "tie " + std::to_string(extra), why);
    }
    const Params edges = MakeParams(row.kind, &random, {INT32_MAX, 0}, {0, 0}, {INT32_MAX, -31});
    if (why->empty()) Compare(row, scalar, edges, 65536, 1, 1, pairs, "largest factors", why);
    const Params usual = MakeParams(row.kind, &random, half, {1518500250, -2}, {1610612736, -18});
    for (size_t count = 0; count < 70; ++count) {
      for (const int steps : {0, 1, 2, 3}) {
        if (!why->empty()) return;
        Compare(row, scalar, usual, count, steps & 1, steps >> 1, pairs + 2 * 777 * count,
                "count " + std::to_string(count) + " steps " + std::to_string(steps), why);
      }
    }
  });
}

LOWBIT_TEST("elementwise: every row of int16 equals the scalar one") {
  const auto same = [](const Row& a, const Row& b) { return a.kind == b.kind; };
  ForPairs(dispatch::elementwise::Lists(), same, [&](const Row& row, const Row& scalar) {
    if (!IsWide(row.kind)) return;
    Random random(5);
    const auto factor = [&](int shift) { return Factor{random.Between(1 << 30, INT32_MAX), -shift}; };
    const Factor half{1 << 30, 0};
    for (int round = 0; round < 800; ++round) {
      const int steps = round % 4, a_step = steps & 1, b_step = steps >> 1;
      const size_t count = static_cast<size_t>(round % 133);
      Params params{};
      params.left_shift = 15;
      params.a = round / 3 % 3 ? half : factor(1 + round % 5);
      params.b = round / 9 % 3 ? factor(1 + round / 5 % 31) : half;
      params.output = factor(round % 3 ? 10 + round % 12 : round % 32);
      params.b_sign = round % 2 ? 1 : -1;
      params.low = round % 7 ? -32768 : -1000;
      params.high = round % 7 ? 32767 : 3000;
      Guarded<int16_t> a(a_step ? count : 1), b(b_step ? count : 1), got(count), want(count);
      const bool ends = round % 5 == 0;
      const auto code = [&] {
        return static_cast<int16_t>(ends ? (random.Next() % 2 ? -32768 : 32767)
                                         : random.Between(-32768, 32767));
      };
      for (auto& x : a) x = code();
      for (auto& x : b) x = code();
      row.run(params, a.data(), a_step, b.data(), b_step, got.data(), count);
      scalar.run(params, a.data(), a_step, b.data(), b_step, want.data(), count);
      LOWBIT_CHECK_THAT(!count || std::memcmp(got.data(), want.data(), count * sizeof(int16_t)) == 0,
                        std::string(row.name) + ": round " + std::to_string(round));
    }
  });
}

}  // namespace
}  // namespace lowbit::test
