// Instruction sets: one bit each. Included by kernel files that are built with wider flags: constants only.
#pragma once

#include <cstdint>

namespace lowbit::cpu {

using Isa = uint32_t;  // a set of the bits below

constexpr Isa kScalar = 0;            // always there
constexpr Isa kAvx2 = 1u << 0;        // AVX2 and FMA
constexpr Isa kAvxVnni = 1u << 1;     // AVX-VNNI (implies kAvx2)
constexpr Isa kAvx512Vnni = 1u << 2;  // AVX-512 F, BW, DQ, VL and VNNI (implies kAvx2)
constexpr Isa kNeon = 1u << 3;        // ARMv7 with NEON, or ARMv8
constexpr Isa kNeonDot = 1u << 4;     // ARMv8.2 dot product
constexpr Isa kNeonI8mm = 1u << 5;    // ARMv8.6 int8 matrix multiply

constexpr bool Has(Isa have, Isa needs) { return (have & needs) == needs; }

}  // namespace lowbit::cpu
