// Digests of results and checksums of buffers. Both steps are bijections in either argument, so a single wrong word
// always shows.
#pragma once
#include "families.h"

namespace sentinel {

constexpr uint32_t kFoldMultiplier = 0x9e3779b1u;

SENTINEL_CORE uint32_t fold(uint32_t digest, uint32_t word) {
  return (rotate_left32(digest, 5) ^ word) * kFoldMultiplier;
}

// The digest of an SM from those of its lanes. 0 is kept for "no digest".
SENTINEL_CORE uint32_t fold_digests(const uint32_t* lane_digests, uint32_t lanes) {
  uint32_t digest = 0;
  for (uint32_t lane = 0; lane < lanes; lane++) digest = fold(digest, lane_digests[lane]);
  return digest == 0 ? 1 : digest;
}
SENTINEL_CORE uint32_t fold_lanes(const uint32_t* lane_digests) { return fold_digests(lane_digests, kLanes); }
SENTINEL_CORE uint32_t fold_gpu_lanes(const uint32_t* lane_digests) { return fold_digests(lane_digests, kGpuLanes); }

// Four interleaved chains over 32-bit words. count must be a multiple of 4.
SENTINEL_CORE uint64_t checksum(const uint32_t* words, uint32_t count, uint64_t start) {
  uint64_t chain[4] = {start, ~start, start << 1 | 1, start + 0x5851f42d4c957f2du};
  for (uint32_t i = 0; i < count; i += 4) {
    for (uint32_t k = 0; k < 4; k++) chain[k] = (rotate_left64(chain[k], 23) ^ words[i + k]) * 0x9fb21c651e98df25u;
  }
  return ((chain[0] * 3 + chain[1]) * 5 + chain[2]) * 7 + chain[3];
}

}  // namespace sentinel
