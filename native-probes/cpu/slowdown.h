// What executions cost whoever else works on their logical CPU.
#pragma once
#include <string>
#include <vector>

#include "execution.h"

namespace sentinel {

struct SlowdownRequest {
  Request execution{};      // one SM: the CPU that is measured; its index counts up
  uint32_t rounds = 0;      // at most
  uint32_t executions = 0;  // in each round
  uint32_t gap_ms = 0;      // after each execution
  uint32_t limit_ms = 0;    // no round begins later
};

// How far the tenant came in how much time.
struct Progress {
  uint64_t ns = 0;
  uint64_t steps = 0;
};

// A phase with executions, and as long a phase without right after it.
struct SlowdownRound {
  Progress probed, alone;
  uint32_t executed = 0;    // executions that ran to their end on the CPU
  uint64_t charged_ns = 0;  // to that CPU, golden included where it computes one
};

struct SlowdownReport {
  std::string reason;  // why the tenant could not work; then there are no rounds
  std::vector<SlowdownRound> rounds;
};

// The tenant is a thread on that CPU, of this process's priority, which computes integers all the time: a job that is never
// idle and has no memory to lose from the caches. It works until the last round is over.
SlowdownReport measure_slowdown(const SlowdownRequest& request);

}  // namespace sentinel
