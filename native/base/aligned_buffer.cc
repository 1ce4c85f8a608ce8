// Aligned allocation by the platform's own function.
#include "base/aligned_buffer.h"

#include <cstdlib>
#include <cstring>

#ifdef _WIN32
#include <malloc.h>
#endif

namespace lowbit {

bool AlignedBuffer::Allocate(size_t size) {
  Reset();
  const size_t rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
  if (rounded < size) return false;
#ifdef _WIN32
  data_ = static_cast<uint8_t*>(_aligned_malloc(rounded ? rounded : kAlignment, kAlignment));
#else
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, rounded ? rounded : kAlignment) != 0) memory = nullptr;
  data_ = static_cast<uint8_t*>(memory);
#endif
  if (!data_) return false;
  std::memset(data_, 0, rounded);
  size_ = size;
  return true;
}

void AlignedBuffer::Reset() {
#ifdef _WIN32
  _aligned_free(data_);
#else
  std::free(data_);
#endif
  data_ = nullptr;
  size_ = 0;
}

}  // namespace lowbit
