// What every warp of a GPU must compute of one seed. Computed by cuda/gpu_golden.cpp, which is compiled like
// cpu/golden.cpp: without any vector or floating-point instruction.
#pragma once
#include "../core/gpu_families.h"
#include "launch.h"

namespace sentinel {

struct GpuGolden {
  uint32_t running[kMostBlocks * kGpuLanes];  // [block][lane]: digests after each kGpuBlock iterations
  uint64_t checksum;                          // of those that the family has, taken when they were written
};

// False, and nothing computed, for a family that has no golden: sfu, or one that GPUs do not run.
bool compute_gpu_golden(Family family, uint64_t seed, GpuGolden& golden);

uint64_t checksum_of(Family family, const GpuGolden& golden);

}  // namespace sentinel
