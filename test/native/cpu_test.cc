// Levels and caps.
#include <cstring>

#include "check.h"
#include "cpu/detect.h"

namespace lowbit::cpu {
namespace {

LOWBIT_TEST("cpu: levels begin with scalar and are known names") {
  const Levels levels = AllLevels();
  LOWBIT_CHECK(levels.count >= 1);
  LOWBIT_CHECK(std::strcmp(levels.first[0].name, "scalar") == 0 && levels.first[0].adds == kScalar);
  for (size_t i = 0; i < levels.count; ++i) {
    bool known = false;
    for (size_t j = 0; j < AllNames().count; ++j)
      known = known || std::strcmp(AllNames().first[j], levels.first[i].name) == 0;
    LOWBIT_CHECK_THAT(known, levels.first[i].name);
  }
}

LOWBIT_TEST("cpu: a cap takes the levels above it away") {
  const Isa all = kAvx2 | kAvxVnni | kAvx512Vnni | kNeon | kNeonDot | kNeonI8mm;
  Isa capped = all;
  LOWBIT_CHECK(Cap("scalar", all, &capped));
  LOWBIT_EQUAL(capped, kScalar);
#if defined(__x86_64__)
  LOWBIT_CHECK(Cap("avx2", all, &capped));
  LOWBIT_EQUAL(capped, kAvx2);
  LOWBIT_CHECK(Cap("avxvnni", kAvx2 | kAvx512Vnni, &capped));
  LOWBIT_EQUAL(capped, kAvx2);  // a level that the processor lacks is skipped
  LOWBIT_CHECK(Cap("avx512vnni", kAvx2 | kAvx512Vnni, &capped));
  LOWBIT_EQUAL(capped, kAvx2 | kAvx512Vnni);
  LOWBIT_CHECK(Cap("neondot", kAvx2, &capped));
  LOWBIT_EQUAL(capped, kScalar);
#elif defined(__aarch64__)
  LOWBIT_CHECK(Cap("neon", all, &capped));
  LOWBIT_EQUAL(capped, kNeon);
  LOWBIT_CHECK(Cap("neondot", all, &capped));
  LOWBIT_EQUAL(capped, kNeon | kNeonDot);
  LOWBIT_CHECK(Cap("neoni8mm", kNeon, &capped));
  LOWBIT_EQUAL(capped, kNeon);  // levels that the processor lacks are skipped
  LOWBIT_CHECK(Cap("avx2", kNeon, &capped));
  LOWBIT_EQUAL(capped, kScalar);
#endif
  for (const char* name : {"", "AVX2", "avx", "avx2 ", "sse"})
    LOWBIT_CHECK_THAT(!Cap(name, all, &capped), name);
}

LOWBIT_TEST("cpu: the name of a set is its strongest level") {
  LOWBIT_CHECK(std::strcmp(NameOf(kScalar), "scalar") == 0);
#if defined(__x86_64__)
  LOWBIT_CHECK(std::strcmp(NameOf(kAvx2), "avx2") == 0);
  LOWBIT_CHECK(std::strcmp(NameOf(kAvx2 | kAvxVnni | kAvx512Vnni), "avx512vnni") == 0);
#elif defined(__aarch64__)
  LOWBIT_CHECK(std::strcmp(NameOf(kNeon), "neon") == 0);
  LOWBIT_CHECK(std::strcmp(NameOf(kNeon | kNeonDot | kNeonI8mm), "neoni8mm") == 0);
#endif
  LOWBIT_EQUAL(Detect(), Detect());
}

LOWBIT_TEST("cpu: caches grow with their level, where they are known") {
  const Caches caches = DetectCaches();
  if (caches.l1 && caches.l2) LOWBIT_CHECK(caches.l1 <= caches.l2);
}

}  // namespace
}  // namespace lowbit::cpu
