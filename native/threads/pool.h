// One pool of worker threads a process. A caller hands out a job of `count` chunks; it and the workers that
// are awake claim chunks from one atomic counter. The caller never waits for a worker that has not started,
// only for chunks that are claimed. Workers spin a little between jobs, then sleep.
#pragma once

#include <cstddef>

namespace lowbit::threads {

class Pool {
 public:
  // A chunk: index in [0, count), and a slot in [0, threads) that no two chunks running at once share.
  using Chunk = void (*)(void* context, size_t index, int slot) noexcept;

  // More threads than this never work on one job, whatever is asked.
  static constexpr int kMaxThreads = 256;

  virtual ~Pool() = default;

  // Runs all chunks; returns when every one is done. `threads` bounds how many work on it, the caller
  // included. Any thread may call, also from inside a chunk; while the workers are at another caller's job,
  // the caller runs its chunks alone.
  virtual void Run(size_t count, int threads, Chunk chunk, void* context) noexcept = 0;

  // For callables: work(index, slot).
  template <typename Work>
  void For(size_t count, int threads, const Work& work) noexcept {
    Run(
        count, threads,
        [](void* context, size_t index, int slot) noexcept {
          (*static_cast<const Work*>(context))(index, slot);
        },
        const_cast<Work*>(&work));
  }

  // The process's pool. Grows so that `threads` can work at once (the caller included); never shrinks.
  static Pool* Shared(int threads);
};

}  // namespace lowbit::threads
