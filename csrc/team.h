// A few threads on the caller's OpenMP runtime, and a barrier between them.
//
// The library links no OpenMP of its own: a second pool beside torch's spinning workers slows both down. It is handed
// the addresses of the runtime that torch has loaded; without one, everything runs on the calling thread.
#pragma once
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace unrolled {

// The functions of an OpenMP runtime: GOMP_parallel, omp_get_thread_num, omp_get_num_threads.
struct Runtime {
  void (*parallel)(void (*body)(void*), void* data, unsigned threads, unsigned flags);
  int (*thread_number)();
  int (*thread_count)();
};
extern std::atomic<const Runtime*> current_runtime;

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spins, and yields the core when that takes long: two threads of a pool can share one core for seconds.
class Barrier {
 public:
  void wait(int threads) {
    if (threads == 1) return;
    const unsigned round = round_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      return;
    }
    for (int spins = 0; round_.load(std::memory_order_acquire) == round; ++spins) {
      if (spins < 4096)
        relax();
      else
        sched_yield();
    }
  }

 private:
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<unsigned> round_{0};
};

// Which of how many equal parts of something.
struct Part {
  int index, of;
  int64_t begin(int64_t count) const { return count * index / of; }
  int64_t end(int64_t count) const { return count * (index + 1) / of; }
};

// One thread's place in a team.
struct Member {
  int thread;
  int threads;
  Barrier* barrier;
  void wait() const { barrier->wait(threads); }
  Part part() const { return {thread, threads}; }
};

// Runs body(Member) on up to `threads` threads at once. `body` must not throw.
template <typename Body> void run_team(int threads, Body&& body) {
  Barrier barrier;
  const Runtime* runtime = current_runtime.load(std::memory_order_acquire);
  if (threads <= 1 || !runtime) return body(Member{0, 1, &barrier});
  struct Shared {
    Body* body;
    Barrier* barrier;
    const Runtime* runtime;
  } shared{&body, &barrier, runtime};
  runtime->parallel(
      [](void* data) {
        const auto& team = *static_cast<Shared*>(data);
        // The runtime may grant fewer threads than were asked for.
        (*team.body)(Member{team.runtime->thread_number(), team.runtime->thread_count(), team.barrier});
      },
      &shared, unsigned(threads), 0);
}

// Nanoseconds in which a team meets once: 80 where the cores share a cache, five times that where they do not. Which it
// is can change on a rented machine, so it is measured now and then.
inline int64_t meeting_time(int threads) {
  using Clock = std::chrono::steady_clock;
  using Time = std::chrono::nanoseconds;
  constexpr int64_t kEvery = 100'000'000;
  constexpr int kTimes = 3, kRounds = 8;  // the shortest of a few: a thread may lose its core meanwhile
  static std::atomic<int64_t> due{0}, found{0};
  const auto now = [] { return std::chrono::duration_cast<Time>(Clock::now().time_since_epoch()).count(); };
  const int64_t start = now();
  if (int64_t last = due.load(std::memory_order_relaxed);
      start >= last && due.compare_exchange_strong(last, start + kEvery)) {
    int64_t least = std::numeric_limits<int64_t>::max();
    run_team(threads, [&](const Member& member) {
      for (int time = 0; time < kTimes; ++time) {
        member.wait();
        const int64_t before = now();
        for (int round = 0; round < kRounds; ++round) member.wait();
        if (member.thread == 0) least = std::min<int64_t>(least, (now() - before) / kRounds);
      }
    });
    found.store(least, std::memory_order_relaxed);
  }
  return found.load(std::memory_order_relaxed);
}

}  // namespace unrolled
