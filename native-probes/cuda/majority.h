// The golden of a family that has none elsewhere: what more than half of the SMs computed. Pure.
#pragma once
#include "verdict.h"

namespace sentinel::cuda {

constexpr uint32_t kLeastVoters = 3;

struct Majority {
  std::string missing;  // why there is none; empty if there is one
  uint32_t sm = 0;      // one of those that form it
};

// Writes the golden, [blocks][kGpuLanes]. An SM whose warps disagree among themselves ran, and has no vote. There is no
// majority where fewer than three SMs ran or no more than half of them agree.
Majority majority_of(const Returned& returned, const uint32_t* running, uint32_t blocks,
                     const std::vector<uint32_t>& sms, uint32_t* golden);

// What the kernel does where it has a golden: counts the lanes that disagree in each SM's record, and keeps the first
// of each in the table.
void report_disagreements(const Returned& returned, const uint32_t* running, const Expected& golden, SmRecord* records,
                          MismatchTable& mismatches);

}  // namespace sentinel::cuda
