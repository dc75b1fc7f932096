// Where the tables of a launch lie in one piece of device memory, so that one copy brings all results back.
#pragma once
#include <stddef.h>

#include "../core/sfu.h"
#include "launch.h"

namespace sentinel::cuda {

constexpr size_t kTableAlignment = 256;
constexpr size_t align_up(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

// Byte offsets. Claims keep their values from launch to launch; what follows them up to the golden is poisoned.
struct TableLayout {
  uint32_t slots;
  size_t claims, records, digests, mismatches, golden, bytes;
};

constexpr size_t kGoldenBytes = size_t{kMostBlocks} * kGpuLanes * sizeof(uint32_t);

constexpr TableLayout table_layout(uint32_t slots) {
  TableLayout out{};
  out.slots = slots;
  out.records = align_up(out.claims + slots * sizeof(uint32_t), kTableAlignment);
  out.digests = align_up(out.records + slots * sizeof(SmRecord), kTableAlignment);
  out.mismatches = align_up(out.digests + size_t{slots} * kFullWarps * kWarpLanes * sizeof(uint32_t), kTableAlignment);
  out.golden = align_up(out.mismatches + sizeof(MismatchTable), kTableAlignment);
  out.bytes = align_up(out.golden + kGoldenBytes, kTableAlignment);
  return out;
}

// Of a family whose golden is the majority: what every warp computed after each block of iterations.
constexpr size_t running_bytes(uint32_t slots, uint32_t blocks) {
  return size_t{slots} * kFullWarps * blocks * kWarpLanes * sizeof(uint32_t);
}

// And, behind them, the results that the host looks at.
constexpr size_t kResultsBytesOfSm = size_t{kSfuSampleWords} * sizeof(uint32_t);
constexpr size_t results_bytes(uint32_t slots) { return slots * kResultsBytesOfSm; }

}  // namespace sentinel::cuda
