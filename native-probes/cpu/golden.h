// The expected results of one seed. Computed by cpu/golden.cpp, which is compiled without any vector or floating-point
// instruction, so that it shares none with the unit under test.
#pragma once
#include "../core/families.h"

namespace sentinel {

struct Golden {
  uint32_t* operands;
  uint32_t* expected;
  uint32_t lane_digests[kLanes];
  uint64_t checksum;  // of both buffers, taken when they were written
};

void compute_golden(Family family, uint64_t seed, Golden& golden);

uint64_t checksum_of(Family family, const Golden& golden);

}  // namespace sentinel
