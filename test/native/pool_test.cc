// The pool under many callers: every chunk runs exactly once, slots are never shared.
#include "threads/pool.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "check.h"

namespace lowbit::threads {
namespace {

// Runs a job of `count` chunks and says what was wrong with it; null if nothing.
const char* RunJob(Pool* pool, size_t count, int threads, int work) {
  std::vector<uint8_t> hits(count);  // a chunk that ran twice at once would be a data race, too
  std::vector<std::atomic<int>> taken(static_cast<size_t>(threads));
  std::atomic<uint64_t> total{0};
  std::atomic<const char*> wrong{nullptr};
  pool->For(count, threads, [&](size_t index, int slot) {
    if (index >= count || slot < 0 || slot >= threads) {
      wrong = "index or slot out of range";
      return;
    }
    if (taken[static_cast<size_t>(slot)].fetch_add(1) != 0) wrong = "two chunks share a slot";
    ++hits[index];
    total.fetch_add(index + 1, std::memory_order_relaxed);
    for (volatile int i = 0; i < work; i = i + 1) {
    }
    taken[static_cast<size_t>(slot)].fetch_sub(1);
  });
  if (wrong.load()) return wrong.load();
  for (const uint8_t hit : hits)
    if (hit != 1) return "a chunk did not run exactly once";
  return total.load() == static_cast<uint64_t>(count) * (count + 1) / 2 ? nullptr : "the total is wrong";
}

LOWBIT_TEST("pool: one caller, all sizes") {
  for (int threads = 1; threads <= 8; ++threads) {
    Pool* const pool = Pool::Shared(threads);
    for (const size_t count : {0, 1, 2, 3, 7, 8, 9, 64, 1000}) {
      const char* const wrong = RunJob(pool, count, threads, 0);
      LOWBIT_CHECK_THAT(!wrong, wrong);
    }
  }
}

LOWBIT_TEST("pool: thousands of jobs from many callers") {
  std::atomic<const char*> wrong{nullptr};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 6; ++caller)
    callers.emplace_back([&, caller] {
      uint32_t random = 12345u + static_cast<uint32_t>(caller);
      for (int job = 0; job < 3000 && !wrong.load(); ++job) {
        random = random * 1664525u + 1013904223u;
        const int threads = 1 + static_cast<int>((random >> 8) % 8);
        const size_t count = (random >> 16) % 40;
        if (const char* what =
                RunJob(Pool::Shared(threads), count, threads, static_cast<int>(random >> 28) * 20))
          wrong = what;
      }
    });
  for (std::thread& caller : callers) caller.join();
  LOWBIT_CHECK_THAT(!wrong.load(), wrong.load());
}

LOWBIT_TEST("pool: more chunks than one job holds") {
  Pool* const pool = Pool::Shared(3);
  for (const size_t count : {size_t{262143}, size_t{262144}, size_t{600001}}) {
    const char* const wrong = RunJob(pool, count, 3, 0);
    LOWBIT_CHECK_THAT(!wrong, wrong);
  }
}

LOWBIT_TEST("pool: workers that are late are left alone, and called again") {
  if (std::thread::hardware_concurrency() < 2) return;
  Pool* const pool = Pool::Shared(2);
  // A worker's chunk that lasts much longer than all others stands for one whose core is taken.
  const auto helps = [pool](int micros) {
    std::atomic<int> helped{0};
    pool->For(16, 2, [&](size_t, int slot) {
      if (slot == 1 && helped++ == 0) std::this_thread::sleep_for(std::chrono::microseconds(micros));
      std::this_thread::sleep_for(std::chrono::microseconds(10));
    });
    return helped.load() > 0;
  };
  // The machine may be busy with other things.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const auto is_time = [&] { return std::chrono::steady_clock::now() < deadline; };
  bool alone = false, again = false;
  while (!alone && is_time()) {
    if (!helps(30000)) continue;
    alone = true;
    for (int job = 0; job < 20; ++job) alone = !helps(0) && alone;
  }
  while (!again && is_time()) again = helps(0);
  LOWBIT_CHECK(alone && again);
}

LOWBIT_TEST("pool: jobs inside of chunks") {
  Pool* const pool = Pool::Shared(4);
  std::atomic<int> total{0};
  for (int job = 0; job < 500; ++job)
    pool->For(5, 4, [&](size_t, int) {
      pool->For(6, 4, [&](size_t, int) { pool->For(2, 4, [&](size_t, int) { ++total; }); });
    });
  LOWBIT_EQUAL(total.load(), 500 * 5 * 6 * 2);
}

LOWBIT_TEST("pool: workers that sleep are woken") {
  Pool* const pool = Pool::Shared(3);
  for (int job = 0; job < 40; ++job) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const char* const wrong = RunJob(pool, 12, 3, 20000);
    LOWBIT_CHECK_THAT(!wrong, wrong);
  }
}

LOWBIT_TEST("pool: several threads really work on one job") {
  if (std::thread::hardware_concurrency() < 2) return;
  Pool* const pool = Pool::Shared(2);
  std::atomic<int> helped{0};
  for (int job = 0; job < 200 && helped.load() == 0; ++job)
    pool->For(64, 2, [&](size_t, int slot) {
      if (slot == 1) ++helped;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    });
  LOWBIT_CHECK(helped.load() > 0);
}

LOWBIT_TEST("pool: more threads than anybody has") {
  for (const int threads : {0, -1, 200, 256, 1000, 1 << 30}) {
    std::atomic<int> total{0};
    Pool::Shared(threads)->For(300, threads, [&](size_t, int slot) {
      if (slot >= 0 && slot < Pool::kMaxThreads) ++total;
    });
    LOWBIT_EQUAL(total.load(), 300);
  }
}

}  // namespace
}  // namespace lowbit::threads
