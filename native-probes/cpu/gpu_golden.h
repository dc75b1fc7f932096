// What every warp of a GPU must compute of one seed (core/gpu_families.h). Computed by cpu/golden.cpp.
#pragma once
#include "../core/gpu_families.h"
#include "../cuda/launch.h"

namespace sentinel {

struct GpuGolden {
  uint32_t running[kMostBlocks * kGpuLanes];  // [block][lane]: digests after each kGpuBlock iterations
  uint64_t checksum;                          // of those that the family has, taken when they were written
};

void compute_gpu_golden(Family family, uint64_t seed, GpuGolden& golden);

uint64_t checksum_of(Family family, const GpuGolden& golden);

}  // namespace sentinel
