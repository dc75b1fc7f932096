// The golden of a family that has none elsewhere: what more than half of the SMs computed. Pure.
#pragma once
#include "verdict.h"

namespace sentinel::cuda {

constexpr uint32_t kLeastVoters = 3;

// Writes the golden, [blocks][kGpuLanes]. An SM whose warps disagree among themselves ran, and has no vote. False where
// fewer than three SMs ran or no more than half of them agree; `why` then says so.
bool majority_of(const Returned& returned, const uint32_t* running, uint32_t blocks, const std::vector<uint32_t>& sms,
                 uint32_t* golden, std::string& why);

// What the kernel does where it has a golden: counts the lanes that disagree in each SM's record, and keeps the first
// of each in the table.
void report_disagreements(const Returned& returned, const uint32_t* running, const Expected& golden, SmRecord* records,
                          MismatchTable& mismatches);

}  // namespace sentinel::cuda
