// The unit under test: one pass of a family over its operands with the instructions of the silicon.
#pragma once
#include "golden.h"

namespace sentinel {

struct UnitJob {
  Family family;
  uint64_t seed;
  uint32_t sm;
  const Golden* golden;
  uint32_t* results;  // of the last round that ran: kept as they were computed, for the comparison
  uint32_t* memory;   // kMemoryWords, for cpu_mem
};

struct UnitOutcome {
  uint32_t rounds;  // a round that disagrees is the last one
  uint32_t lane_digests[kLanes];
};

// Computes the golden of a seed on the calling thread's CPU, and runs a family on it. Which implementation is linked is
// decided by the build target.
struct Backend {
  void (*golden)(Family family, uint64_t seed, uint32_t cpu, Golden& golden);
  UnitOutcome (*unit)(const UnitJob& job);
};

extern const Backend kBackend;

}  // namespace sentinel
