#include "gpu_golden.h"

#include "../core/fold.h"
#include "../core/gpu_results.h"

namespace sentinel {
namespace {

void compute_lane(Family family, uint64_t seed, uint32_t lane, GpuGolden& golden) {
  const GpuShape shape = gpu_shape_of(family);
  uint32_t results[kMostGpuResultWords];
  uint32_t digest = 0;
  for (uint32_t i = 0; i < shape.iterations; i++) {
    gpu_results(family, seed, lane, i, results);
    for (uint32_t w = 0; w < shape.result_words; w++) digest = fold(digest, results[w]);
    if ((i + 1) % kGpuBlock == 0) golden.running[i / kGpuBlock * kGpuLanes + lane] = digest;
  }
}

}  // namespace

bool compute_gpu_golden(Family family, uint64_t seed, GpuGolden& golden) {
  if (!has_gpu_golden(family)) return false;
  for (uint32_t lane = 0; lane < kGpuLanes; lane++) compute_lane(family, seed, lane, golden);
  golden.checksum = checksum_of(family, golden);
  return true;
}

uint64_t checksum_of(Family family, const GpuGolden& golden) {
  return checksum(golden.running, gpu_shape_of(family).iterations / kGpuBlock * kGpuLanes, 1);
}

}  // namespace sentinel
