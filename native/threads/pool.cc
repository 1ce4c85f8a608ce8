// The pool: one open job at a time. One 64-bit atomic holds its generation and the chunks that are left, as a range.
//
// Claim:  a thread reads the state, then the job's fields, then takes a chunk off the range by compare-exchange: the
//         owner the first, workers the last. So with two threads each has a half, the same half of every step,
//         which is then in its own cache from the step before; where they meet is found as they go.
//         The owner has the first from the beginning, so that it does not fight for the state when workers first look.
//         It writes the fields only while no chunk is left, so a thread that saw fields of a later job
//         fails to exchange: the generation differs. 2^28 jobs would have to pass between its two looks for a
//         wrong claim.
// End:    `unfinished_` counts chunks, not threads. The owner returns when it is zero; a worker that never
//         woke is not waited for.
// Slots:  worker i has slot i and works only on jobs of more than i threads, so no slot is given out twice.
// Sleep:  a thread says that it sleeps, looks once more, and sleeps; the waker changes what is looked at,
//         then asks who sleeps. Both sides are sequentially consistent, so one of them sees the other.
#include "threads/pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>

#if defined(_WIN32)
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <process.h>
#include <windows.h>
#else
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#endif
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <condition_variable>
#endif
#if defined(_MSC_VER) && defined(_M_X64)
#include <intrin.h>
#endif

namespace lowbit::threads {
namespace {

constexpr size_t kCacheLine = 64;

// Pauses before a thread sleeps: 20 to 90 microseconds, by processor. The steps of one inference follow each
// other faster than that; the time between two inferences is not worth a core.
constexpr int kSpins = 2000;

// A worker that keeps the owner waiting for longer than the whole job has taken is not running: another process has
// its core. The owner then does without workers for so many times what it has lost.
using Clock = std::chrono::steady_clock;
constexpr std::chrono::microseconds kLate{100};
constexpr int kRest = 24;

void Pause() {
#if defined(_MSC_VER) && defined(_M_X64)
  _mm_pause();
#elif defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");  // `yield` is a no-op on most cores
#elif defined(__arm__)
  __asm__ volatile("yield" ::: "memory");
#endif
}

// A place where one thread sleeps until another wakes it. Wake before Sleep is not lost once Prepare was
// called.
class Parker {
 public:
  void Prepare() { parked_.store(1, std::memory_order_seq_cst); }
  void Cancel() { parked_.store(0, std::memory_order_relaxed); }
#if defined(__linux__)
  void Sleep() {
    while (parked_.load(std::memory_order_acquire) == 1)
      syscall(SYS_futex, reinterpret_cast<uint32_t*>(&parked_), FUTEX_WAIT_PRIVATE, 1, nullptr, nullptr, 0);
  }
  void Wake() {
    if (parked_.load(std::memory_order_seq_cst) == 0 || parked_.exchange(0, std::memory_order_acq_rel) == 0)
      return;
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(&parked_), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
#else
  void Sleep() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (parked_.load(std::memory_order_acquire) == 1) condition_.wait(lock);
  }
  void Wake() {
    if (parked_.load(std::memory_order_seq_cst) == 0) return;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      parked_.store(0, std::memory_order_release);
    }
    condition_.notify_one();
  }
#endif

 private:
  std::atomic<uint32_t> parked_{0};
#if !defined(__linux__)
  std::mutex mutex_;
  std::condition_variable condition_;
#endif
};

// Starts a thread that is never joined; false when the system gives none (std::thread would throw).
using Body = void (*)(void*);
struct Start {
  Body body;
  void* argument;
};

#if defined(_WIN32)
unsigned __stdcall Enter(void* data) {
  const Start* const start = static_cast<const Start*>(data);
  start->body(start->argument);
  return 0;
}
bool StartThread(Start* start) {
  const uintptr_t thread = _beginthreadex(nullptr, 0, Enter, start, 0, nullptr);
  if (thread == 0) return false;
  CloseHandle(reinterpret_cast<HANDLE>(thread));
  return true;
}
#else
void* Enter(void* data) {
  const Start* const start = static_cast<const Start*>(data);
  start->body(start->argument);
  return nullptr;
}
bool StartThread(Start* start) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, size_t{1} << 20);
  sigset_t all, before;  // signals are for the threads of Node
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, Enter, start) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return started;
}
#endif

// Workers run this library's code for ever, but Node closes an addon when the last of its environments (a
// worker thread, say) ends. So the library stays.
void PinLibrary() {
#if defined(_WIN32)
  HMODULE self;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                     reinterpret_cast<LPCWSTR>(&PinLibrary), &self);
#else
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&PinLibrary), &info) && info.dli_fname)
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

// The chunks [first, end) that nobody has claimed, and which job they are of.
class State {
 public:
  static constexpr int kBits = 18;
  static constexpr size_t kMostChunks = (size_t{1} << kBits) - 1;

  // All but the first chunk.
  State(uint64_t generation, uint64_t count)
      : bits_(generation << 2 * kBits | uint64_t{1} << kBits | count) {}
  explicit State(uint64_t bits) : bits_(bits) {}
  uint64_t bits() const { return bits_; }
  size_t first() const { return bits_ >> kBits & kMostChunks; }
  size_t end() const { return bits_ & kMostChunks; }
  bool empty() const { return first() >= end(); }
  State WithoutFirst() const { return State(bits_ + (uint64_t{1} << kBits)); }
  State WithoutLast() const { return State(bits_ - 1); }

 private:
  uint64_t bits_;
};

class SharedPool final : public Pool {
 public:
  void Run(size_t count, int threads, Chunk chunk, void* context) noexcept override {
    if (count == 0) return;
    const int workers = started_.load(std::memory_order_acquire);
    const int helpers = static_cast<int>(
        std::min<size_t>(count - 1, static_cast<size_t>(std::max(std::min(threads - 1, workers), 0))));
    if (count > State::kMostChunks) return RunInParts(count, threads, chunk, context);
    const Clock::time_point start = helpers ? Clock::now() : Clock::time_point();
    if (helpers == 0 || start.time_since_epoch().count() < rest_until_.load(std::memory_order_relaxed) ||
        busy_.load(std::memory_order_relaxed) || busy_.exchange(true, std::memory_order_acquire)) {
      for (size_t i = 0; i < count; ++i) chunk(context, i, 0);
      return;
    }
    chunk_.store(chunk, std::memory_order_release);
    context_.store(context, std::memory_order_release);
    threads_.store(helpers + 1, std::memory_order_release);
    unfinished_.store(static_cast<uint32_t>(count), std::memory_order_relaxed);
    state_.store(State(++generation_, count).bits(), std::memory_order_seq_cst);
    for (int i = 1; i <= helpers; ++i) {
      if (Now(std::memory_order_relaxed).empty()) break;
      workers_[i].parker.Wake();
    }
    chunk(context, 0, 0);
    Work(0, 1);
    AwaitClaimed(start);
    busy_.store(false, std::memory_order_release);
  }

  void RunInParts(size_t count, int threads, Chunk chunk, void* context) noexcept {
    for (size_t first = 0; first < count; first += State::kMostChunks) {
      For(std::min(State::kMostChunks, count - first), threads,
          [&](size_t i, int slot) { chunk(context, first + i, slot); });
    }
  }

  void Grow(int threads) {
    const int wanted = std::min(threads, kMaxThreads) - 1;
    if (started_.load(std::memory_order_acquire) >= wanted) return;
    const std::lock_guard<std::mutex> lock(growing_);
    PinLibrary();
    while (started_.load(std::memory_order_relaxed) < wanted) {
      const int id = started_.load(std::memory_order_relaxed) + 1;
      Worker& worker = workers_[id];
      worker.pool = this;
      worker.id = id;
      worker.start = {[](void* self) { static_cast<Worker*>(self)->pool->Live(static_cast<Worker*>(self)); },
                      &worker};
      if (!StartThread(&worker.start)) return;  // fewer threads then: nobody waits for the missing ones
      started_.store(id, std::memory_order_release);
    }
  }

 private:
  struct alignas(kCacheLine) Worker {
    Parker parker;
    SharedPool* pool = nullptr;
    int id = 0;
    Start start{};
  };

  State Now(std::memory_order order) const { return State(state_.load(order)); }

  // Claims and runs chunks of the open job until none is left; `finished` ones were run before.
  void Work(int slot, uint32_t finished) noexcept {
    uint64_t seen = state_.load(std::memory_order_acquire);
    for (State state(seen); !state.empty(); state = State(seen)) {
      const Chunk chunk = chunk_.load(std::memory_order_acquire);
      void* const context = context_.load(std::memory_order_acquire);
      if (slot >= threads_.load(std::memory_order_acquire)) break;
      const State rest = slot == 0 ? state.WithoutFirst() : state.WithoutLast();
      if (!state_.compare_exchange_weak(seen, rest.bits(), std::memory_order_acq_rel,
                                        std::memory_order_acquire))
        continue;
      chunk(context, slot == 0 ? state.first() : rest.end(), slot);
      ++finished;
      seen = state_.load(std::memory_order_acquire);
    }
    // The job cannot have changed since the first claim: its owner waits for what is subtracted here.
    if (finished && unfinished_.fetch_sub(finished, std::memory_order_seq_cst) == finished) owner_.Wake();
  }

  void AwaitClaimed(Clock::time_point start) noexcept {
    for (int spin = 0; spin < kSpins; ++spin) {
      if (unfinished_.load(std::memory_order_acquire) == 0) return;
      Pause();
    }
    const Clock::time_point sleep = Clock::now();
    while (unfinished_.load(std::memory_order_acquire) != 0) {
      owner_.Prepare();
      if (unfinished_.load(std::memory_order_seq_cst) == 0) {
        owner_.Cancel();
        break;
      }
      owner_.Sleep();
    }
    const Clock::time_point end = Clock::now();
    if (end - sleep > sleep - start + kLate)
      rest_until_.store((end + kRest * (end - sleep)).time_since_epoch().count(), std::memory_order_relaxed);
  }

  bool HasWork(int id, std::memory_order order) const {
    return !Now(order).empty() && id < threads_.load(std::memory_order_acquire);
  }

  void Live(Worker* self) noexcept {
    // More threads than cores would only keep each other from running.
    const int spins = self->id < static_cast<int>(std::thread::hardware_concurrency()) ? kSpins : 0;
    for (;;) {
      int spin = 0;
      while (spin < spins && !HasWork(self->id, std::memory_order_acquire)) {
        Pause();
        ++spin;
      }
      if (spin == spins) {
        self->parker.Prepare();
        if (HasWork(self->id, std::memory_order_seq_cst))
          self->parker.Cancel();
        else
          self->parker.Sleep();
      }
      Work(self->id, 0);
    }
  }

  // One cache line: a worker that sees a new state has the job with it.
  alignas(kCacheLine) std::atomic<uint64_t> state_{0};
  std::atomic<Chunk> chunk_{nullptr};
  std::atomic<void*> context_{nullptr};
  std::atomic<int> threads_{0};
  alignas(kCacheLine) std::atomic<uint32_t> unfinished_{0};
  alignas(kCacheLine) std::atomic<bool> busy_{false};
  std::atomic<Clock::rep> rest_until_{Clock::time_point::min().time_since_epoch().count()};
  uint64_t generation_ = 0;  // the owner's, under busy_
  Parker owner_;
  std::atomic<int> started_{0};
  std::mutex growing_;
  Worker workers_[kMaxThreads];  // 0 is the caller
};

}  // namespace

Pool* Pool::Shared(int threads) {
  // Never destroyed: sleeping workers look at it until the process is gone.
  static SharedPool* const pool = new SharedPool;
  pool->Grow(threads);
  return pool;
}

}  // namespace lowbit::threads
