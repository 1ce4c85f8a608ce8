// Asks the processor and the operating system once; a level counts only when the build holds its kernels.
#include "cpu/detect.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__) || defined(_M_X64)
#define LOWBIT_CPU_X64 1
#if defined(_MSC_VER)
#include <immintrin.h>
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#elif defined(__aarch64__) || defined(_M_ARM64) || defined(__arm__)
#define LOWBIT_CPU_ARM 1
#if defined(__linux__)
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(_WIN32)
#define NOMINMAX
#include <windows.h>
#endif
#endif

// isa.cmake defines those that this build holds.
#ifndef LOWBIT_AVX2
#define LOWBIT_AVX2 0
#endif
#ifndef LOWBIT_AVXVNNI
#define LOWBIT_AVXVNNI 0
#endif
#ifndef LOWBIT_AVX512VNNI
#define LOWBIT_AVX512VNNI 0
#endif
#ifndef LOWBIT_NEON
#define LOWBIT_NEON 0
#endif
#ifndef LOWBIT_NEONDOT
#define LOWBIT_NEONDOT 0
#endif
#ifndef LOWBIT_NEONI8MM
#define LOWBIT_NEONI8MM 0
#endif

namespace lowbit::cpu {
namespace {

#if LOWBIT_CPU_X64

struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers Cpuid(uint32_t leaf, uint32_t part = 0) {
  Registers r;
#if defined(_MSC_VER)
  int out[4];
  __cpuid(out, static_cast<int>(leaf & 0x80000000u));
  if (static_cast<uint32_t>(out[0]) < leaf) return r;
  __cpuidex(out, static_cast<int>(leaf), static_cast<int>(part));
  r = {static_cast<uint32_t>(out[0]), static_cast<uint32_t>(out[1]), static_cast<uint32_t>(out[2]),
       static_cast<uint32_t>(out[3])};
#else
  if (!__get_cpuid_count(leaf, part, &r.a, &r.b, &r.c, &r.d)) return Registers();
#endif
  return r;
}

constexpr bool Bit(uint32_t word, int bit) { return (word >> bit) & 1; }

// Register state that the system saves on a task switch: XCR0, 0 where there is no xgetbv.
uint64_t SavedState() {
  if (!Bit(Cpuid(1).c, 27)) return 0;  // OSXSAVE
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
#endif
}

constexpr uint64_t kYmmState = 0x06;  // xmm, ymm
constexpr uint64_t kZmmState = 0xE6;  // those, mask registers, both halves of zmm

bool Saves(uint64_t state) { return (SavedState() & state) == state; }

bool HasAvx2() {
  const Registers one = Cpuid(1);
  return Bit(one.c, 28) && Bit(one.c, 12) && Bit(Cpuid(7).b, 5) && Saves(kYmmState);  // AVX, FMA, AVX2
}

bool HasAvxVnni() { return HasAvx2() && Bit(Cpuid(7, 1).a, 4); }

bool HasAvx512Vnni() {
  const Registers seven = Cpuid(7);
  return HasAvx2() && Bit(seven.b, 16) && Bit(seven.b, 17) && Bit(seven.b, 30) &&
         Bit(seven.b, 31) &&  // F DQ BW VL
         Bit(seven.c, 11) && Saves(kZmmState);
}

#elif LOWBIT_CPU_ARM

#if defined(__APPLE__)
bool Feature(const char* name) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}
bool HasNeon() { return true; }
bool HasNeonDot() { return Feature("hw.optional.arm.FEAT_DotProd"); }
bool HasNeonI8mm() { return HasNeonDot() && Feature("hw.optional.arm.FEAT_I8MM"); }
#elif defined(__linux__) && defined(__aarch64__)
// Bits of the kernel's arch/arm64/include/uapi/asm/hwcap.h.
bool HasNeon() { return (getauxval(AT_HWCAP) >> 1) & 1; }      // ASIMD
bool HasNeonDot() { return (getauxval(AT_HWCAP) >> 20) & 1; }  // ASIMDDP
bool HasNeonI8mm() { return HasNeonDot() && ((getauxval(AT_HWCAP2) >> 13) & 1); }
#elif defined(__linux__)
// arch/arm/include/uapi/asm/hwcap.h.
bool HasNeon() { return (getauxval(AT_HWCAP) >> 12) & 1; }
bool HasNeonDot() { return (getauxval(AT_HWCAP) >> 24) & 1; }
bool HasNeonI8mm() { return HasNeonDot() && ((getauxval(AT_HWCAP) >> 27) & 1); }
#elif defined(_WIN32)
// winnt.h of older kits lacks the names.
constexpr DWORD kDotProduct = 43;  // PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE
constexpr DWORD kI8mm = 66;        // PF_ARM_V82_I8MM_INSTRUCTIONS_AVAILABLE
bool HasNeon() { return true; }
bool HasNeonDot() { return IsProcessorFeaturePresent(kDotProduct) != 0; }
bool HasNeonI8mm() { return HasNeonDot() && IsProcessorFeaturePresent(kI8mm) != 0; }
#else
bool HasNeon() { return true; }
bool HasNeonDot() { return false; }
bool HasNeonI8mm() { return false; }
#endif

#endif

bool Always() { return true; }

struct Row {
  Level level;
  bool built;     // this build holds kernels of the level
  bool (*has)();  // processor and system have it
};

// One row a level, weakest first.
constexpr Row kRows[] = {
    {{"scalar", kScalar}, true, Always},
#if LOWBIT_CPU_X64
    {{"avx2", kAvx2}, LOWBIT_AVX2, HasAvx2},
    {{"avxvnni", kAvxVnni}, LOWBIT_AVXVNNI, HasAvxVnni},
    {{"avx512vnni", kAvx512Vnni}, LOWBIT_AVX512VNNI, HasAvx512Vnni},
#elif LOWBIT_CPU_ARM
    {{"neon", kNeon}, LOWBIT_NEON, HasNeon},
    {{"neondot", kNeonDot}, LOWBIT_NEONDOT, HasNeonDot},
    {{"neoni8mm", kNeonI8mm}, LOWBIT_NEONI8MM, HasNeonI8mm},
#endif
};
constexpr size_t kRowCount = sizeof kRows / sizeof kRows[0];

// Every name of every processor family.
constexpr const char* kNames[] = {"scalar", "avx2", "avxvnni", "avx512vnni", "neon", "neondot", "neoni8mm"};

// Of the caches that a core reads data from, the bytes of each level; any source adds what it knows.
void Put(Caches* caches, int level, size_t bytes) {
  size_t* const field = level == 1   ? &caches->l1
                        : level == 2 ? &caches->l2
                        : level == 3 ? &caches->l3
                                     : nullptr;
  if (field && bytes > *field) *field = bytes;
}

#if defined(__linux__)
bool ReadLine(const char* folder, int index, const char* name, char* line, int size) {
  char path[128];
  std::snprintf(path, sizeof path, "%s/index%d/%s", folder, index, name);
  FILE* const file = std::fopen(path, "re");
  if (!file) return false;
  const bool read = std::fgets(line, size, file) != nullptr;
  std::fclose(file);
  return read;
}

void CachesOfSysfs(Caches* caches) {
  constexpr const char* kFolder = "/sys/devices/system/cpu/cpu0/cache";
  for (int index = 0; index < 8; ++index) {
    char level[32], type[32], size[32];
    if (!ReadLine(kFolder, index, "level", level, sizeof level) ||
        !ReadLine(kFolder, index, "type", type, sizeof type) ||
        !ReadLine(kFolder, index, "size", size, sizeof size))
      break;
    if (std::strncmp(type, "Instruction", 11) == 0) continue;
    char* unit = nullptr;
    size_t bytes = std::strtoul(size, &unit, 10);
    if (*unit == 'K') bytes <<= 10;
    if (*unit == 'M') bytes <<= 20;
    Put(caches, std::atoi(level), bytes);
  }
}
#endif

#if LOWBIT_CPU_X64
// Intel's leaf 4 and AMD's 0x8000001D share one layout.
void CachesOfCpuid(Caches* caches, uint32_t leaf) {
  for (uint32_t part = 0; part < 16; ++part) {
    const Registers r = Cpuid(leaf, part);
    const uint32_t type = r.a & 31;  // 0 = no more, 1 = data, 2 = instruction, 3 = unified
    if (type == 0) return;
    if (type == 2) continue;
    const size_t ways = (r.b >> 22) + 1, partitions = ((r.b >> 12) & 1023) + 1, line = (r.b & 4095) + 1;
    Put(caches, (r.a >> 5) & 7, ways * partitions * line * (static_cast<size_t>(r.c) + 1));
  }
}
#endif

}  // namespace

Levels AllLevels() {
  static Level levels[kRowCount];
  static const bool filled = [] {
    for (size_t i = 0; i < kRowCount; ++i) levels[i] = kRows[i].level;
    return true;
  }();
  (void)filled;
  return {levels, kRowCount};
}

Names AllNames() { return {kNames, sizeof kNames / sizeof kNames[0]}; }

Isa Detect() {
  static const Isa found = [] {
    Isa have = kScalar;
    for (const Row& row : kRows)
      if (row.built && row.has()) have |= row.level.adds;
    return have;
  }();
  return found;
}

bool Cap(const char* level, Isa have, Isa* capped) {
  Isa below = kScalar;
  for (const Row& row : kRows) {
    below |= row.level.adds;
    if (std::strcmp(row.level.name, level) == 0) {
      *capped = have & below;
      return true;
    }
  }
  // A level of another family: no level of this one stands below it but scalar.
  for (const char* name : kNames)
    if (std::strcmp(name, level) == 0) {
      *capped = kScalar;
      return true;
    }
  return false;
}

const char* NameOf(Isa have) {
  const char* name = kRows[0].level.name;
  for (const Row& row : kRows)
    if (row.level.adds != kScalar && Has(have, row.level.adds)) name = row.level.name;
  return name;
}

Caches DetectCaches() {
  Caches caches{0, 0, 0};
#if LOWBIT_CPU_X64
  CachesOfCpuid(&caches, 0x8000001D);
  if (!caches.l1) CachesOfCpuid(&caches, 4);
#endif
#if defined(__linux__)
  if (!caches.l1) CachesOfSysfs(&caches);
#endif
#if defined(__APPLE__)
  size_t value = 0, size = sizeof value;
  if (sysctlbyname("hw.l1dcachesize", &value, &size, nullptr, 0) == 0) Put(&caches, 1, value);
  size = sizeof value;
  if (sysctlbyname("hw.l2cachesize", &value, &size, nullptr, 0) == 0) Put(&caches, 2, value);
#endif
  return caches;
}

}  // namespace lowbit::cpu
