// A program is loaded while allocations fail, the first, the second and so on: a Status, never an end of the
// process.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/resource.h>
#endif

#include "check.h"
#include "cpu/detect.h"
#include "program/load.h"
#include "program_builder.h"

namespace {

// Allocations of this thread that still succeed; negative: all do.
thread_local int64_t left = -1;
// The largest one that this thread asked for.
thread_local size_t largest = 0;

void* Allocate(size_t size) {
  largest = std::max(largest, size);
  if (left == 0) return nullptr;
  if (left > 0) --left;
  return std::malloc(size ? size : 1);
}

}  // namespace

void* operator new(size_t size) {
  if (void* memory = Allocate(size)) return memory;
  throw std::bad_alloc();
}
void* operator new[](size_t size) { return operator new(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace lowbit::program {
namespace {

#if defined(__APPLE__)
constexpr int64_t kRssPerMegabyte = 1 << 20;  // ru_maxrss is in bytes
#else
constexpr int64_t kRssPerMegabyte = 1 << 10;  // in kilobytes
#endif

LOWBIT_TEST("load: every allocation may fail") {
  const test::ProgramBytes built = test::GroupedConvolution(24);
  const Span<const uint8_t> blocks[1] = {{built.constant.data(), built.constant.size()}};
  LoadOptions options;
  std::shared_ptr<Program> program;
  int64_t allowed = 0;
  for (bool loaded = false; !loaded; ++allowed) {
    LOWBIT_CHECK(allowed < 100000);
    left = allowed;
    const Status status = Load({built.bytes.data(), built.bytes.size()}, {blocks, 1}, options, &program);
    left = -1;
    loaded = status.ok();
    LOWBIT_CHECK(loaded == (program != nullptr));
    LOWBIT_CHECK(loaded || status.code() == Code::kLimit);
  }
  LOWBIT_CHECK(allowed > 20);
}

// Its weights have no elements; a channel of them would have 2^28.
LOWBIT_TEST("load: a layer that writes nothing takes no memory for its channels") {
  const test::ProgramBytes built = test::GroupedConvolution(0, 1 << 28);
  const Span<const uint8_t> blocks[1] = {{built.constant.data(), built.constant.size()}};
  std::shared_ptr<Program> program;
  largest = 0;
  const Status status = Load({built.bytes.data(), built.bytes.size()}, {blocks, 1}, LoadOptions(), &program);
  LOWBIT_CHECK_THAT(status.ok(), status.message());
  LOWBIT_CHECK_THAT(largest < 1 << 20, std::to_string(largest) + " bytes");
}

#if defined(__unix__) || defined(__APPLE__)
// Half a million groups of one channel: each takes a panel of 16 channels and their constants.
LOWBIT_TEST("load: memory beyond the limit is refused before it is taken") {
  const test::ProgramBytes built = test::GroupedConvolution(500000);
  const Span<const uint8_t> blocks[1] = {{built.constant.data(), built.constant.size()}};
  LoadOptions options;
  options.memory_limit = uint64_t{64} << 20;
  for (const cpu::Isa isa : {cpu::kScalar, cpu::Detect()}) {
    options.isa = isa;
    rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    std::shared_ptr<Program> program;
    const Status status = Load({built.bytes.data(), built.bytes.size()}, {blocks, 1}, options, &program);
    getrusage(RUSAGE_SELF, &after);
    LOWBIT_CHECK(status.code() == Code::kLimit);
    LOWBIT_CHECK_THAT(status.message().find("the limit leaves") != std::string::npos, status.message());
    const int64_t grown = (after.ru_maxrss - before.ru_maxrss) / kRssPerMegabyte;
    LOWBIT_CHECK_THAT(grown < 50, std::to_string(grown) + " MB");
  }
}
#endif

}  // namespace
}  // namespace lowbit::program
