#include "pinned_thread.h"

#include <sched.h>
#include <signal.h>
#include <time.h>

namespace sentinel {
namespace {

uint64_t read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

bool pin_calling_thread(uint32_t cpu) {
  const size_t bytes = CPU_ALLOC_SIZE(kMostCpus);
  cpu_set_t* set = CPU_ALLOC(kMostCpus);
  if (set == nullptr) return false;
  CPU_ZERO_S(bytes, set);
  CPU_SET_S(cpu, bytes, set);
  const int failed = sched_setaffinity(0, bytes, set);
  CPU_FREE(set);
  return failed == 0;
}

}  // namespace

uint64_t monotonic_ns() { return read_clock(CLOCK_MONOTONIC); }
uint64_t thread_cpu_ns() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
uint32_t current_cpu() { return static_cast<uint32_t>(sched_getcpu()); }

void PinnedThread::start(uint32_t cpu, Work work, void* argument) {
  cpu_ = seen_cpu_ = cpu;
  work_ = work;
  argument_ = argument;
  placement_ = Placement::kNoThread;
  started_ns_ = ended_ns_ = monotonic_ns();
  cpu_time_ns_ = 0;
  ended_ = false;
  // The process's signals belong to the threads that expect them.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  joinable_ = pthread_create(&thread_, nullptr, body, this) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!joinable_) ended_ = true;
}

Placement PinnedThread::join() {
  if (joinable_) pthread_join(thread_, nullptr);
  joinable_ = false;
  return placement_;
}

void* PinnedThread::body(void* self) {
  auto* thread = static_cast<PinnedThread*>(self);
  thread->run();
  thread->ended_ = true;
  return nullptr;
}

void PinnedThread::run() {
  if (!pin_calling_thread(cpu_)) {
    placement_ = Placement::kNotAllowed;
    return;
  }
  started_ns_ = monotonic_ns();
  seen_cpu_ = current_cpu();
  if (seen_cpu_ == cpu_) {
    work_(argument_);
    seen_cpu_ = current_cpu();
  }
  placement_ = seen_cpu_ == cpu_ ? Placement::kStayed : Placement::kMoved;
  ended_ns_ = monotonic_ns();
  cpu_time_ns_ = thread_cpu_ns();
}

}  // namespace sentinel
