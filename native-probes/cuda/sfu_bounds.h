// Whether results of the special-function units lie within the errors that NVIDIA documents. This accuses nobody: the
// majority of the SMs says what is right bit for bit, and the bounds say whether the majority can be right at all.
#pragma once
#include "../core/sfu.h"

namespace sentinel {

struct SfuViolation {
  uint32_t lane;  // logical
  uint32_t iteration;
  SfuFunction function;
  uint32_t operand, result;  // binary32
};

// Of the results of one group of 32 lanes in one block of 32 iterations, [iteration][kSfuResultWords][lane]. Returns how
// many are out of bounds; `first` is the first of them.
uint32_t sfu_violations(uint64_t seed, uint32_t group, uint32_t block, const uint32_t* results, SfuViolation& first);

}  // namespace sentinel
