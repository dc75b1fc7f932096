// Golden and unit work, each on a thread of its own logical CPU.
#pragma once
#include "execution.h"
#include "pinned_thread.h"

namespace sentinel {

class GoldenWorker {
 public:
  void start(Family family, uint64_t seed, uint32_t cpu, Golden& golden);
  // True if the golden was computed, all of it on that CPU.
  bool join() { return thread_.join() == Placement::kStayed; }
  const PinnedThread& thread() const { return thread_; }
  const Golden& golden() const { return *golden_; }

 private:
  static void work(void* self);

  Family family_ = Family::kFma32;
  uint64_t seed_ = 0;
  Golden* golden_ = nullptr;
  PinnedThread thread_;
};

class UnitWorker {
 public:
  // Runs to the end. True if it ran, all of it on that SM.
  bool run(const UnitJob& job);
  const PinnedThread& thread() const { return thread_; }
  const UnitJob& job() const { return job_; }
  const UnitOutcome& outcome() const { return outcome_; }
  bool agrees() const;
  uint32_t digest() const;
  // Of a run that does not agree.
  Mismatch mismatch() const;

 private:
  static void work(void* self);

  UnitJob job_{};
  UnitOutcome outcome_{};
  PinnedThread thread_;
};

// Why a thread's work did not happen or must be discarded, and as which result.
std::string not_run_reason(const PinnedThread& thread);
Result not_run_result(const PinnedThread& thread);

}  // namespace sentinel
