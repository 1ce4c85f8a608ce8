// A buffer whose end touches an unreadable page: a read or write past it ends the test run at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace lowbit::testing {

template <typename T>
class Guarded {
 public:
  explicit Guarded(size_t count) : count_(count) {
    const size_t bytes = count * sizeof(T);
#if defined(__unix__) || defined(__APPLE__)
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    size_ = (bytes + page - 1) / page * page + page;
    base_ = static_cast<uint8_t*>(
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED || mprotect(base_ + size_ - page, page, PROT_NONE) != 0) std::abort();
    data_ = reinterpret_cast<T*>(base_ + size_ - page - bytes);
#else
    base_ = static_cast<uint8_t*>(std::calloc(bytes ? bytes : 1, 1));
    data_ = reinterpret_cast<T*>(base_);
#endif
  }
  ~Guarded() {
#if defined(__unix__) || defined(__APPLE__)
    munmap(base_, size_);
#else
    std::free(base_);
#endif
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  T* data() { return data_; }
  size_t size() const { return count_; }
  T& operator[](size_t i) { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + count_; }

 private:
  uint8_t* base_ = nullptr;
  size_t size_ = 0, count_;
  T* data_;
};

// A small generator of its own, so that a seed means the same numbers everywhere (Marsaglia 2003,
// xorshift32).
class Random {
 public:
  explicit Random(uint32_t seed) : state_(seed ? seed : 1) {}
  uint32_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return state_;
  }
  int32_t Between(int32_t low, int32_t high) {
    return low + static_cast<int32_t>(Next() % static_cast<uint32_t>(high - low + 1));
  }

 private:
  uint32_t state_;
};

}  // namespace lowbit::testing
