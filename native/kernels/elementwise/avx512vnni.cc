// Quantised ADD, SUB and MUL of bytes, and ADD and SUB of int16, for AVX-512, 64 bytes at once; the arithmetic is that of
// avx2.cc.
//
// Line:   ADD and SUB in float32 (line.h), blocks with an element near a tie by the exact sequence.
// Result: both roundings of the result in one constant: floor((x m + 2^30 + 2^(e + 30)) / 2^31), plus x >> 31,
//         shifted right by e >= 1 (requantize/avx2.h says why). Then 16-bit lanes: what saturates there stays
//         beyond the clamp's bounds with the zero point added, which saturates too.
// Order:  the packs of 32 to 16 and 16 to 8 bits mix the four quarters of a block by groups of four, which one
//         permutation of 32-bit lanes at the end undoes.
// Reads:  whole blocks of 64 bytes; the rest by masks.
#include "kernels/elementwise/avx512vnni.h"

#include <immintrin.h>
#include <string.h>

#include "kernels/elementwise/line.h"

namespace lowbit::kernels::elementwise {
namespace {

// (d << 20) * factor with d = code - zero point; `kHalf`: d << 19, where the factor is one half.
struct Operand {
  __m512i zero, high, low, half;
  __m128i exponent;
  bool shifts;
  Operand(int32_t zero_point, const Factor& f)
      : zero(_mm512_set1_epi32(zero_point)),
        high(_mm512_set1_epi32(f.multiplier >> 16 << 5)),
        low(_mm512_set1_epi32(f.multiplier & 0xFFFF)),
        half(_mm512_set1_epi32(f.shift ? 1 << (-f.shift - 1) : 0)),
        exponent(_mm_cvtsi32_si128(-f.shift)),
        shifts(f.shift != 0) {}
  template <bool kHalf>
  __m512i Scale(__m512i code) const {
    const __m512i d = _mm512_sub_epi32(code, zero);
    if (kHalf) return _mm512_slli_epi32(d, 19);
    const __m512i fine = _mm512_add_epi32(_mm512_mullo_epi32(d, low), _mm512_set1_epi32(1 << 10));
    const __m512i x = _mm512_add_epi32(_mm512_mullo_epi32(d, high), _mm512_srai_epi32(fine, 11));
    if (!shifts) return x;
    // To nearest, halves away from zero.
    const __m512i sum = _mm512_add_epi32(_mm512_add_epi32(x, half), _mm512_srai_epi32(x, 31));
    return _mm512_sra_epi32(sum, exponent);
  }
};

struct Result {
  __m512i multiplier, nudge, zero_point, low, high;
  __m128i exponent;
  bool shifts;
  explicit Result(const Params& p)
      : multiplier(_mm512_set1_epi32(p.output.multiplier)),
        nudge(_mm512_set1_epi64((int64_t{1} << 30) +
                                (p.output.shift ? int64_t{1} << (30 - p.output.shift) : 0))),
        zero_point(_mm512_set1_epi16(static_cast<int16_t>(p.zero_point))),
        low(_mm512_set1_epi16(static_cast<int16_t>(p.low))),
        high(_mm512_set1_epi16(static_cast<int16_t>(p.high))),
        exponent(_mm_cvtsi32_si128(-p.output.shift)),
        shifts(p.output.shift != 0) {}
  __m512i Scale(__m512i x) const {
    const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(x, multiplier), nudge);
    const __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(x, 32), multiplier), nudge);
    const __m512i product =
        _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), _mm512_add_epi64(odd, odd));
    if (!shifts) return product;
    return _mm512_sra_epi32(_mm512_add_epi32(product, _mm512_srai_epi32(x, 31)), exponent);
  }
  __m512i Words(__m512i first, __m512i second) const {
    const __m512i words = _mm512_adds_epi16(_mm512_packs_epi32(Scale(first), Scale(second)), zero_point);
    return Clamp(words);
  }
  __m512i Clamp(__m512i words) const { return _mm512_min_epi16(_mm512_max_epi16(words, low), high); }
};

template <bool kSigned>
inline __m512i Widen32(__m128i x) {
  return kSigned ? _mm512_cvtepi8_epi32(x) : _mm512_cvtepu8_epi32(x);
}
template <bool kSigned>
inline __m512i Widen16(__m256i x) {
  return kSigned ? _mm512_cvtepi8_epi16(x) : _mm512_cvtepu8_epi16(x);
}
template <bool kSigned>
inline __m512i Bytes(__m512i first, __m512i second) {
  return kSigned ? _mm512_packs_epi16(first, second) : _mm512_packus_epi16(first, second);
}

template <typename Code>
inline __m512i Alike(const uint8_t* code) {
  Code value;
  memcpy(&value, code, sizeof value);
  return sizeof value == 1 ? _mm512_set1_epi8(static_cast<char>(value)) : _mm512_set1_epi16(value);
}

// Calls block(a, b) for 64 bytes at a time and stores what it gives.
template <typename Code = int8_t, typename Block>
inline void Blocks(const void* a, int a_step, const void* b, int b_step, void* out, size_t count,
                   const Block& block) {
  const uint8_t* pa = static_cast<const uint8_t*>(a);
  const uint8_t* pb = static_cast<const uint8_t*>(b);
  uint8_t* to = static_cast<uint8_t*>(out);
  if (!count) return;
  const size_t bytes = count * sizeof(Code);
  const __m512i all_a = Alike<Code>(pa), all_b = Alike<Code>(pb);
  size_t i = 0;
  for (; i + 64 <= bytes; i += 64) {
    const __m512i x = a_step ? _mm512_loadu_si512(pa + i) : all_a;
    const __m512i y = b_step ? _mm512_loadu_si512(pb + i) : all_b;
    _mm512_storeu_si512(to + i, block(x, y));
  }
  if (i == bytes) return;
  const __mmask64 rest = (uint64_t{1} << (bytes - i)) - 1;
  const __m512i x = a_step ? _mm512_maskz_loadu_epi8(rest, pa + i) : all_a;
  const __m512i y = b_step ? _mm512_maskz_loadu_epi8(rest, pb + i) : all_b;
  _mm512_mask_storeu_epi8(to + i, rest, block(x, y));
}

template <bool kSigned, bool kHalfA, bool kHalfB>
void AddBlocks(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out,
               size_t count) {
  const Operand first(p.a_zero, p.a), second(p.b_zero, p.b);
  const Result result(p);
  const bool subtracts = p.b_sign < 0;
  const auto sum = [&](__m128i x, __m128i y) {
    const __m512i left = first.Scale<kHalfA>(Widen32<kSigned>(x));
    const __m512i right = second.Scale<kHalfB>(Widen32<kSigned>(y));
    return subtracts ? _mm512_sub_epi32(left, right) : _mm512_add_epi32(left, right);
  };
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const auto exact = [&](__m512i x, __m512i y) {
    const __m512i low = result.Words(sum(_mm512_castsi512_si128(x), _mm512_castsi512_si128(y)),
                                     sum(_mm512_extracti32x4_epi32(x, 1), _mm512_extracti32x4_epi32(y, 1)));
    const __m512i high = result.Words(sum(_mm512_extracti32x4_epi32(x, 2), _mm512_extracti32x4_epi32(y, 2)),
                                      sum(_mm512_extracti32x4_epi32(x, 3), _mm512_extracti32x4_epi32(y, 3)));
    return _mm512_permutexvar_epi32(order, Bytes<kSigned>(low, high));
  };
  const Line line = LineOf(p);
  if (!line.limit) return Blocks(a, a_step, b, b_step, out, count, exact);
  const __m512 slope_a = _mm512_set1_ps(line.a), slope_b = _mm512_set1_ps(line.b);
  const __m512 offset = _mm512_set1_ps(line.offset), limit = _mm512_set1_ps(line.limit);
  LeftOver left_over;
  size_t blocks = 0;
  Blocks(a, a_step, b, b_step, out, count, [&](__m512i x, __m512i y) {
    ++blocks;
    if (left_over.TooMany(blocks)) return exact(x, y);
    __mmask16 doubt = 0;
    const auto rounded = [&](__m128i first, __m128i second) {
      const __m512 u = _mm512_cvtepi32_ps(Widen32<kSigned>(first));
      const __m512 v = _mm512_cvtepi32_ps(Widen32<kSigned>(second));
      const __m512 value = _mm512_fmadd_ps(u, slope_a, _mm512_fmadd_ps(v, slope_b, offset));
      const __m512i whole = _mm512_cvtps_epi32(value);
      const __m512 rest = _mm512_abs_ps(_mm512_sub_ps(value, _mm512_cvtepi32_ps(whole)));
      doubt = static_cast<__mmask16>(doubt | _mm512_cmp_ps_mask(rest, limit, _CMP_NLT_UQ));
      return whole;
    };
    const __m512i low = result.Clamp(
        _mm512_packs_epi32(rounded(_mm512_castsi512_si128(x), _mm512_castsi512_si128(y)),
                           rounded(_mm512_extracti32x4_epi32(x, 1), _mm512_extracti32x4_epi32(y, 1))));
    const __m512i high = result.Clamp(
        _mm512_packs_epi32(rounded(_mm512_extracti32x4_epi32(x, 2), _mm512_extracti32x4_epi32(y, 2)),
                           rounded(_mm512_extracti32x4_epi32(x, 3), _mm512_extracti32x4_epi32(y, 3))));
    if (doubt) {
      ++left_over.blocks;
      return exact(x, y);
    }
    return _mm512_permutexvar_epi32(order, Bytes<kSigned>(low, high));
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

// Differences fit 16 bits; products by halves, which the unpacking joins and the packs put back in order.
template <bool kSigned>
void Mul(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out, size_t count) {
  const __m512i a_zero = _mm512_set1_epi16(static_cast<int16_t>(p.a_zero));
  const __m512i b_zero = _mm512_set1_epi16(static_cast<int16_t>(p.b_zero));
  const Result result(p);
  const auto words = [&](__m256i x, __m256i y) {
    const __m512i left = _mm512_sub_epi16(Widen16<kSigned>(x), a_zero);
    const __m512i right = _mm512_sub_epi16(Widen16<kSigned>(y), b_zero);
    const __m512i low = _mm512_mullo_epi16(left, right), high = _mm512_mulhi_epi16(left, right);
    return result.Words(_mm512_unpacklo_epi16(low, high), _mm512_unpackhi_epi16(low, high));
  };
  const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  Blocks(a, a_step, b, b_step, out, count, [&](__m512i x, __m512i y) {
    const __m512i low = words(_mm512_castsi512_si256(x), _mm512_castsi512_si256(y));
    const __m512i high = words(_mm512_extracti64x4_epi64(x, 1), _mm512_extracti64x4_epi64(y, 1));
    return _mm512_permutexvar_epi64(order, Bytes<kSigned>(low, high));
  });
}

// x * factor with both roundings in one constant, as NearFactor of avx2.cc.
struct NearFactor {
  __m512i multiplier, nudge, sign_mask;
  __m128i exponent;
  explicit NearFactor(const Factor& f)
      : multiplier(_mm512_set1_epi32(f.multiplier)),
        nudge(_mm512_set1_epi64((int64_t{1} << 30) + (f.shift ? int64_t{1} << (30 - f.shift) : 0))),
        sign_mask(_mm512_set1_epi32(f.shift ? -1 : 0)),
        exponent(_mm_cvtsi32_si128(-f.shift)) {}
  __m512i operator()(__m512i x) const {
    const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(x, multiplier), nudge);
    const __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(x, 32), multiplier), nudge);
    const __m512i r =
        _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), _mm512_add_epi64(odd, odd));
    const __m512i sign = _mm512_and_si512(_mm512_srai_epi32(x, 31), sign_mask);
    return _mm512_sra_epi32(_mm512_add_epi32(r, sign), exponent);
  }
};

template <bool kHalfA, bool kHalfB>
void AddWide(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out, size_t count) {
  const NearFactor first(p.a), second(p.b), result(p.output);
  const bool subtracts = p.b_sign < 0;
  const auto sum = [&](__m256i u, __m256i v) {
    const __m512i x = _mm512_cvtepi16_epi32(u), y = _mm512_cvtepi16_epi32(v);
    const __m512i left = kHalfA ? _mm512_slli_epi32(x, 14) : first(_mm512_slli_epi32(x, 15));
    const __m512i right = kHalfB ? _mm512_slli_epi32(y, 14) : second(_mm512_slli_epi32(y, 15));
    return result(subtracts ? _mm512_sub_epi32(left, right) : _mm512_add_epi32(left, right));
  };
  const __m512i low = _mm512_set1_epi16(static_cast<int16_t>(p.low));
  const __m512i high = _mm512_set1_epi16(static_cast<int16_t>(p.high));
  const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  Blocks<int16_t>(a, a_step, b, b_step, out, count, [&](__m512i x, __m512i y) {
    const __m512i codes =
        _mm512_packs_epi32(sum(_mm512_castsi512_si256(x), _mm512_castsi512_si256(y)),
                           sum(_mm512_extracti64x4_epi64(x, 1), _mm512_extracti64x4_epi64(y, 1)));
    return _mm512_min_epi16(_mm512_max_epi16(_mm512_permutexvar_epi64(order, codes), low), high);
  });
}

void AddS16(const Params& p, const void* a, int a_step, const void* b, int b_step, void* out, size_t count) {
  const auto is_half = [](const Factor& f) { return f.multiplier == 1 << 30 && f.shift == 0; };
  const auto run = is_half(p.a)   ? is_half(p.b) ? AddWide<true, true> : AddWide<true, false>
                     : is_half(p.b) ? AddWide<false, true>
                                  : AddWide<false, false>;
  run(p, a, a_step, b, b_step, out, count);
}

constexpr Row kList[] = {
    {"add.s8.avx512vnni", cpu::kAvx512Vnni, Kind::kAddS8, false, Add<true>},
    {"add.u8.avx512vnni", cpu::kAvx512Vnni, Kind::kAddU8, false, Add<false>},
    {"add.s16.avx512vnni", cpu::kAvx512Vnni, Kind::kAddS16, false, AddS16},
    {"mul.s8.avx512vnni", cpu::kAvx512Vnni, Kind::kMulS8, false, Mul<true>},
    {"mul.u8.avx512vnni", cpu::kAvx512Vnni, Kind::kMulU8, false, Mul<false>},
};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::elementwise
