// copy: checks what the host copied to the GPU, and writes what the host will copy back and check.
#pragma once
#include "../../core/copy.h"
#include "../region.h"

namespace sentinel {

template <uint32_t kWarps>
SENTINEL_DEVICE void run_copy(const LaunchArguments& arguments) {
  const uint32_t smid = take_sm(arguments, arguments.share);
  if (smid == kNoSm) return device::hold(arguments.hold_ns);
  const uint32_t words = copy_column_words(arguments.share) * kRegionRow;
  const Region to_gpu(arguments, smid, words, 0);
  const Region from_gpu(arguments, arguments.share + smid, words, 0);
  for (uint32_t warp = warp_in_block(); warp < kFullWarps; warp += kWarps) {
    const WarpLane lane = WarpLane::of(smid, warp);
    LaneResults results(arguments, lane);
    for (uint32_t c = 0; c < arguments.iterations; c++) {
      const MarchRead read = to_gpu.read(arguments.seed, kCopyToGpu + c, lane, 0, false, results.tap(c), results);
      add_read(results, read, to_gpu.n(), Region::place(lane), false);
      results.end_iteration(c);
      from_gpu.write(arguments.seed, kCopyFromGpu + c, lane);
    }
    results.finish();
  }
  finish_sm(arguments, smid);
}

}  // namespace sentinel

SENTINEL_BOTH_KERNELS(copy, sentinel::run_copy)
