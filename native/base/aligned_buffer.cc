// Aligned allocation by the platform's own functions. Large buffers are mappings of their own where there are
// such: they go back to the system as soon as they are freed (an allocator keeps freed arenas in its heap for
// long), and they come as zeroed pages that take no memory until they are touched.
#include "base/aligned_buffer.h"

#include <cstdlib>
#include <cstring>

#ifdef _WIN32
#include <malloc.h>
#else
#include <sys/mman.h>
#endif

namespace lowbit {
namespace {

// The address sanitizer guards the ends of what its own allocator gives.
#if defined(_WIN32) || defined(__SANITIZE_ADDRESS__)
constexpr size_t kMapFrom = SIZE_MAX;
#else
constexpr size_t kMapFrom = size_t{1} << 20;
#endif

// With the bytes that may be read behind the last one.
constexpr size_t Rounded(size_t size) {
  constexpr size_t kStep = AlignedBuffer::kAlignment;
  return (size + kStep - 1) / kStep * kStep + kStep;
}

// Weights of this size are streamed from memory; a page of 2 MiB ends the processor's prefetching less often.
constexpr size_t kHugeFrom = size_t{4} << 20;

}  // namespace

bool AlignedBuffer::Allocate(size_t size) {
  Reset();
  if (size > SIZE_MAX - 2 * kAlignment) return false;
  const size_t rounded = Rounded(size);
#ifdef _WIN32
  data_ = static_cast<uint8_t*>(_aligned_malloc(rounded, kAlignment));
#else
  void* memory = nullptr;
  if (size >= kMapFrom) {
    memory = mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
#ifdef MADV_HUGEPAGE
    if (size >= kHugeFrom) (void)madvise(memory, rounded, MADV_HUGEPAGE);  // a wish: nothing depends on it
#endif
  } else if (posix_memalign(&memory, kAlignment, rounded) != 0) {
    return false;
  }
  data_ = static_cast<uint8_t*>(memory);
#endif
  if (!data_) return false;
  if (size < kMapFrom) std::memset(data_, 0, rounded);
  size_ = size;
  return true;
}

void AlignedBuffer::Reset() {
#ifdef _WIN32
  _aligned_free(data_);
#else
  if (data_ && size_ >= kMapFrom)
    munmap(data_, Rounded(size_));
  else
    std::free(data_);
#endif
  data_ = nullptr;
  size_ = 0;
}

}  // namespace lowbit
