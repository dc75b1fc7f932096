// A dedicated thread on one logical CPU. The caller's own affinity is never touched.
#pragma once
#include <pthread.h>
#include <stdint.h>

#include <atomic>

#include "features.h"

namespace sentinel {

enum class Placement {
  kStayed,
  kNotAllowed,  // the operating system does not let this process run there
  kMoved,       // getcpu named another CPU at the start or at the end
  kNoThread,    // no thread could be made
};

class PinnedThread {
 public:
  using Work = void (*)(void* argument);

  // Starts work(argument) on the CPU. Both must outlive join().
  void start(uint32_t cpu, Work work, void* argument);
  // Waits for the end. The work did not happen, or must be discarded, unless this is kStayed.
  Placement join();

  // Whether join() would not wait.
  bool ended() const { return ended_; }

  Placement placement() const { return placement_; }
  uint32_t cpu() const { return cpu_; }
  uint32_t seen_cpu() const { return seen_cpu_; }
  uint64_t started_ns() const { return started_ns_; }  // CLOCK_MONOTONIC
  uint64_t ended_ns() const { return ended_ns_; }
  uint64_t cpu_time_ns() const { return cpu_time_ns_; }

 private:
  static void* body(void* self);
  void run();

  pthread_t thread_{};
  uint32_t cpu_ = 0, seen_cpu_ = 0;
  Work work_ = nullptr;
  void* argument_ = nullptr;
  Placement placement_ = Placement::kNoThread;
  uint64_t started_ns_ = 0, ended_ns_ = 0, cpu_time_ns_ = 0;
  bool joinable_ = false;
  std::atomic<bool> ended_{false};
};

uint64_t monotonic_ns();
uint64_t thread_cpu_ns();
uint32_t current_cpu();

}  // namespace sentinel
