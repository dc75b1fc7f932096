// What the results of one SM are worth against the golden. Pure.
#pragma once
#include "../cpu/execution.h"
#include "placement.h"

namespace sentinel::cuda {

// Running digests after each 32 iterations, [blocks][kGpuLanes]; the last row is that of the lanes.
struct Expected {
  const uint32_t* running;
  uint32_t blocks;
  const uint32_t* lanes() const { return running + (size_t{blocks} - 1) * kGpuLanes; }
};

// kPass, kFail with its mismatch, or kNotRun with a reason. An SM fails where it was found to disagree and its digests
// differ. kInconclusive with a reason where only one of the two is so: what came back was damaged, or the golden on its
// way to the device. `mismatches` is what the kernel reported of all SMs.
SmResult verdict_on(const Returned& returned, const MismatchTable& mismatches, const Expected& expected, uint32_t smid);

}  // namespace sentinel::cuda
