// Quantised ADD, SUB and MUL for AVX2, 16 elements at once.
//
// Line:   ADD and SUB of bytes in float32 (line.h), blocks with an element near a tie by the sequence below.
// Operands (bytes): d = code - zero point lies in [-255, 255]. The doubling high multiply of d * 2^20 by m in
//         [0, 2^31) is
//         floor((d * m * 2^20 + 2^30) / 2^31) = floor((d * m + 2^10) / 2^11). With m = 2^16 mh + ml that is
//         d * mh * 2^5 + floor((d * ml + 2^10) / 2^11), for the first part is a multiple of 2^11 before the
//         division. |d * mh| * 2^5 < 2^8 * 2^15 * 2^5 = 2^28 and |d * ml| < 2^24, so all of it fits 32 bits.
//         A factor of 1/2 (m = 2^30, no shift: the operand with the larger scale) is d * 2^19 exactly.
// int16:  MUL by the literal sequence of scalar.cc, for its numbers fill 32 bits. ADD and SUB: the factors of operands
//         are at most 1/2, so sums stay within 2^30 and both roundings of a factor fit one constant (NearFactor).
// Shifts: x / 2^e to nearest, halves away from zero, is (x + 2^(e-1) - [x < 0]) >> e for e >= 1.
// Result: the sum (|sum| < 2^29) or product (|product| < 2^16) times m by 64-bit multiplication of even and
//         odd lanes; the rounding of the high multiply saturates only for INT_MIN * INT_MIN, which m >= 0
//         rules out.
// The rest of a row goes through a buffer of 16 elements, so that nothing is read or written outside.
#include "kernels/elementwise/avx2.h"

#include <immintrin.h>
#include <string.h>

#include "kernels/elementwise/line.h"

namespace lowbit::kernels::elementwise {
namespace {

// x / 2^e to nearest, halves away from zero.
struct Shift {
  __m256i half, sign_mask;
  __m128i exponent;
  explicit Shift(int e)
      : half(_mm256_set1_epi32(e ? 1 << (e - 1) : 0)),
        sign_mask(_mm256_set1_epi32(e ? -1 : 0)),
        exponent(_mm_cvtsi32_si128(e)) {}
  __m256i operator()(__m256i x) const {
    const __m256i sign = _mm256_and_si256(_mm256_srai_epi32(x, 31), sign_mask);
    return _mm256_sra_epi32(_mm256_add_epi32(x, _mm256_add_epi32(half, sign)), exponent);
  }
};

// floor((x * m + 2^30) / 2^31)
inline __m256i DoublingHighMul(__m256i x, __m256i m) {
  const __m256i half = _mm256_set1_epi64x(int64_t{1} << 30);
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, m), half);
  const __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), m), half);
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_add_epi64(odd, odd), 0xAA);
}

// (d << 20) * factor, or d << 19 where the factor is one half.
struct Operand {
  __m256i zero, high, low;
  Shift shift;
  Operand(int32_t zero_point, const Factor& f)
      : zero(_mm256_set1_epi32(zero_point)),
        high(_mm256_set1_epi32(f.multiplier >> 16)),
        low(_mm256_set1_epi32(f.multiplier & 0xFFFF)),
        shift(-f.shift) {}
  template <bool kHalf>
  __m256i Scale(__m256i code) const {
    const __m256i d = _mm256_sub_epi32(code, zero);
    if (kHalf) return _mm256_slli_epi32(d, 19);
    const __m256i fine = _mm256_add_epi32(_mm256_mullo_epi32(d, low), _mm256_set1_epi32(1 << 10));
    const __m256i coarse = _mm256_slli_epi32(_mm256_mullo_epi32(d, high), 5);
    return shift(_mm256_add_epi32(coarse, _mm256_srai_epi32(fine, 11)));
  }
};

struct Result {
  __m256i multiplier, zero_point, low, high;
  Shift shift;
  explicit Result(const Params& p)
      : multiplier(_mm256_set1_epi32(p.output.multiplier)),
        zero_point(_mm256_set1_epi32(p.zero_point)),
        low(_mm256_set1_epi32(p.low)),
        high(_mm256_set1_epi32(p.high)),
        shift(-p.output.shift) {}
  __m256i Code(__m256i x) const {
    const __m256i y = _mm256_add_epi32(shift(DoublingHighMul(x, multiplier)), zero_point);
    return Clamp(y);
  }
  __m256i Clamp(__m256i y) const { return _mm256_min_epi32(_mm256_max_epi32(y, low), high); }
};

// Whether values lie too near a tie (line.h).
struct Doubt {
  __m256 limit, magnitude;
  explicit Doubt(float the_limit)
      : limit(_mm256_set1_ps(the_limit)), magnitude(_mm256_castsi256_ps(_mm256_set1_epi32(INT32_MAX))) {}
  __m256 Of(__m256 value) const {
    const __m256 whole = _mm256_cvtepi32_ps(_mm256_cvtps_epi32(value));
    const __m256 rest = _mm256_and_ps(_mm256_sub_ps(value, whole), magnitude);
    return _mm256_cmp_ps(rest, limit, _CMP_NLT_UQ);
  }
  bool Any(__m256 first, __m256 second) const {
    return _mm256_movemask_ps(_mm256_or_ps(Of(first), Of(second))) != 0;
  }
};

template <bool kSigned>
inline __m256i Load8(const uint8_t* p) {
  const __m128i x = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return kSigned ? _mm256_cvtepi8_epi32(x) : _mm256_cvtepu8_epi32(x);
}

template <bool kSigned>
inline void Store16(uint8_t* p, __m256i first, __m256i second) {
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), 0xD8);
  const __m128i a = _mm256_castsi256_si128(words), b = _mm256_extracti128_si256(words, 1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), kSigned ? _mm_packs_epi16(a, b) : _mm_packus_epi16(a, b));
}

// Calls block(a, b, out) for 16 elements at a time; an operand of step 0 is spread once, the rest is padded.
template <typename T, typename Block>
inline void Blocks(const void* a, int a_step, const void* b, int b_step, void* out, size_t count,
                   const Block& block) {
  const T* pa = static_cast<const T*>(a);
  const T* pb = static_cast<const T*>(b);
  T* to = static_cast<T*>(out);
  T spread_a[16], spread_b[16], rest[16];
  const auto spread = [](const T* from, T* all) {
    for (int k = 0; k < 16; ++k) all[k] = *from;
    return all;
  };
  if (!a_step) pa = spread(pa, spread_a);
  if (!b_step) pb = spread(pb, spread_b);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) block(pa + i * a_step, pb + i * b_step, to + i);
  if (const size_t left = count - i) {
    const auto pad = [&](const T* from, T* all) {
      memset(all, 0, 16 * sizeof(T));
      return static_cast<const T*>(memcpy(all, from, left * sizeof(T)));
    };
    if (a_step) pa = pad(pa + i, spread_a);
    if (b_step) pb = pad(pb + i, spread_b);
    block(pa, pb, rest);
    memcpy(to + i, rest, left * sizeof(T));
  }
}

template <bool kSigned, bool kHalfA, bool kHalfB>
void AddBlocks(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out,
               size_t count) {
  const Operand first(p.a_zero, p.a), second(p.b_zero, p.b);
  const Result result(p);
  const __m256i sign = _mm256_set1_epi32(p.b_sign);
  const auto sum = [&](const uint8_t* x, const uint8_t* y) {
    const __m256i scaled = _mm256_sign_epi32(second.Scale<kHalfB>(Load8<kSigned>(y)), sign);
    return result.Code(_mm256_add_epi32(first.Scale<kHalfA>(Load8<kSigned>(x)), scaled));
  };
  const auto exact = [&](const uint8_t* x, const uint8_t* y, uint8_t* to) {
    Store16<kSigned>(to, sum(x, y), sum(x + 8, y + 8));
  };
  const Line line = LineOf(p);
  if (!line.limit) return Blocks<uint8_t>(a, a_step, b, b_step, out, count, exact);
  const __m256 slope_a = _mm256_set1_ps(line.a), slope_b = _mm256_set1_ps(line.b);
  const __m256 offset = _mm256_set1_ps(line.offset);
  const Doubt doubt(line.limit);
  LeftOver left_over;
  size_t blocks = 0;
  Blocks<uint8_t>(a, a_step, b, b_step, out, count, [&](const uint8_t* x, const uint8_t* y, uint8_t* to) {
    if (left_over.TooMany(++blocks)) return exact(x, y, to);
    const auto value = [&](int i) {
      const __m256 u = _mm256_cvtepi32_ps(Load8<kSigned>(x + i)),
                   v = _mm256_cvtepi32_ps(Load8<kSigned>(y + i));
      return _mm256_fmadd_ps(u, slope_a, _mm256_fmadd_ps(v, slope_b, offset));
    };
    const __m256 low = value(0), high = value(8);
    if (doubt.Any(low, high)) {
      ++left_over.blocks;
      return exact(x, y, to);
    }
    Store16<kSigned>(to, result.Clamp(_mm256_cvtps_epi32(low)), result.Clamp(_mm256_cvtps_epi32(high)));
  });
}

template <bool kSigned>
void Add(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out, size_t count) {
  const bool half_a = p.a.multiplier == 1 << 30 && p.a.shift == 0;
  const bool half_b = p.b.multiplier == 1 << 30 && p.b.shift == 0;
  const auto run = half_a   ? half_b ? AddBlocks<kSigned, true, true> : AddBlocks<kSigned, true, false>
                     : half_b ? AddBlocks<kSigned, false, true>
                            : AddBlocks<kSigned, false, false>;
  run(p, a, a_step, b, b_step, out, count);
}

template <bool kSigned>
void Mul(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out, size_t count) {
  const __m256i a_zero = _mm256_set1_epi32(p.a_zero), b_zero = _mm256_set1_epi32(p.b_zero);
  const Result result(p);
  const auto product = [&](const uint8_t* x, const uint8_t* y) {
    // Both factors fit 16 bits and the upper halves are their signs: the full 32-bit product is the plain way.
    return _mm256_mullo_epi32(_mm256_sub_epi32(Load8<kSigned>(x), a_zero),
                              _mm256_sub_epi32(Load8<kSigned>(y), b_zero));
  };
  const auto exact = [&](const uint8_t* x, const uint8_t* y, uint8_t* to) {
    Store16<kSigned>(to, result.Code(product(x, y)), result.Code(product(x + 8, y + 8)));
  };
  const Line line = ProductLineOf(p);
  if (!line.limit) return Blocks<uint8_t>(a, a_step, b, b_step, out, count, exact);
  const __m256 slope = _mm256_set1_ps(line.a), offset = _mm256_set1_ps(line.offset);
  const Doubt doubt(line.limit);
  LeftOver left_over;
  size_t blocks = 0;
  Blocks<uint8_t>(a, a_step, b, b_step, out, count, [&](const uint8_t* x, const uint8_t* y, uint8_t* to) {
    if (left_over.TooMany(++blocks)) return exact(x, y, to);
    const auto value = [&](int i) {
      return _mm256_fmadd_ps(_mm256_cvtepi32_ps(product(x + i, y + i)), slope, offset);
    };
    const __m256 low = value(0), high = value(8);
    if (doubt.Any(low, high)) {
      ++left_over.blocks;
      return exact(x, y, to);
    }
    Store16<kSigned>(to, result.Clamp(_mm256_cvtps_epi32(low)), result.Clamp(_mm256_cvtps_epi32(high)));
  });
}

// x * f for any int32 x; the shift rounds as the reference writes it, so that it cannot leave int32.
struct WideFactor {
  __m256i multiplier, mask, half_mask;
  __m128i exponent;
  explicit WideFactor(const Factor& f)
      : multiplier(_mm256_set1_epi32(f.multiplier)),
        mask(_mm256_set1_epi32(static_cast<int32_t>((int64_t{1} << -f.shift) - 1))),
        half_mask(_mm256_srli_epi32(mask, 1)),
        exponent(_mm_cvtsi32_si128(-f.shift)) {}
  __m256i operator()(__m256i x) const {
    const __m256i r = DoublingHighMul(x, multiplier);
    const __m256i threshold = _mm256_sub_epi32(half_mask, _mm256_srai_epi32(r, 31));
    const __m256i above = _mm256_cmpgt_epi32(_mm256_and_si256(r, mask), threshold);
    return _mm256_sub_epi32(_mm256_sra_epi32(r, exponent), above);
  }
};

// Likewise, for |x| below 2^30 or x = -2^30: r + 2^(e-1) stays in 32 bits, so that the second rounding is added in the
// product. The sign of x serves for that of r, which it is unless r is 0, and there both give 0.
struct NearFactor {
  __m256i multiplier, nudge, sign_mask;
  __m128i exponent;
  explicit NearFactor(const Factor& f)
      : multiplier(_mm256_set1_epi32(f.multiplier)),
        nudge(_mm256_set1_epi64x((int64_t{1} << 30) + (f.shift ? int64_t{1} << (30 - f.shift) : 0))),
        sign_mask(_mm256_set1_epi32(f.shift ? -1 : 0)),
        exponent(_mm_cvtsi32_si128(-f.shift)) {}
  __m256i operator()(__m256i x) const {
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, multiplier), nudge);
    const __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), multiplier), nudge);
    const __m256i r = _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_add_epi64(odd, odd), 0xAA);
    const __m256i sign = _mm256_and_si256(_mm256_srai_epi32(x, 31), sign_mask);
    return _mm256_sra_epi32(_mm256_add_epi32(r, sign), exponent);
  }
};

inline __m256i Load8(const int16_t* p) {
  return _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

// Calls value(a, b) for 8 elements as int32, and stores the codes that it gives.
template <typename Value>
inline void WideBlocks(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out,
                       size_t count, const Value& value) {
  const __m256i low = _mm256_set1_epi16(static_cast<int16_t>(p.low));
  const __m256i high = _mm256_set1_epi16(static_cast<int16_t>(p.high));
  Blocks<int16_t>(a, a_step, b, b_step, out, count, [&](const int16_t* x, const int16_t* y, int16_t* to) {
    const __m256i mixed = _mm256_packs_epi32(value(Load8(x), Load8(y)), value(Load8(x + 8), Load8(y + 8)));
    const __m256i codes = _mm256_permute4x64_epi64(mixed, 0xD8);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_min_epi16(_mm256_max_epi16(codes, low), high));
  });
}

// The operand with the larger scale has the factor 1/2: d * 2^14 exactly.
template <bool kHalfA, bool kHalfB>
void AddWide(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out, size_t count) {
  const NearFactor first(p.a), second(p.b), result(p.output);
  const bool subtracts = p.b_sign < 0;
  WideBlocks(p, a, a_step, b, b_step, out, count, [&](__m256i x, __m256i y) {
    const __m256i left = kHalfA ? _mm256_slli_epi32(x, 14) : first(_mm256_slli_epi32(x, 15));
    const __m256i right = kHalfB ? _mm256_slli_epi32(y, 14) : second(_mm256_slli_epi32(y, 15));
    return result(subtracts ? _mm256_sub_epi32(left, right) : _mm256_add_epi32(left, right));
  });
}

void AddS16(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out, size_t count) {
  const auto is_half = [](const Factor& f) { return f.multiplier == 1 << 30 && f.shift == 0; };
  const auto run = is_half(p.a)   ? is_half(p.b) ? AddWide<true, true> : AddWide<true, false>
                     : is_half(p.b) ? AddWide<false, true>
                                  : AddWide<false, false>;
  run(p, a, a_step, b, b_step, out, count);
}

void MulS16(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out, size_t count) {
  const WideFactor scale(p.output);
  WideBlocks(p, a, a_step, b, b_step, out, count,
             [&](__m256i x, __m256i y) { return scale(_mm256_mullo_epi32(x, y)); });
}

constexpr Row kList[] = {
    {"add.s8.avx2", cpu::kAvx2, Kind::kAddS8, false, Add<true>},
    {"add.u8.avx2", cpu::kAvx2, Kind::kAddU8, false, Add<false>},
    {"add.s16.avx2", cpu::kAvx2, Kind::kAddS16, false, AddS16},
    {"mul.s16.avx2", cpu::kAvx2, Kind::kMulS16, false, MulS16},
    {"mul.s8.avx2", cpu::kAvx2, Kind::kMulS8, false, Mul<true>},
    {"mul.u8.avx2", cpu::kAvx2, Kind::kMulU8, false, Mul<false>},
};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::elementwise
