// hbm: moving inversions over the whole arena, past the caches.
#pragma once
#include "../region.h"

namespace sentinel {

template <uint32_t kWarps>
SENTINEL_DEVICE void run_hbm(const LaunchArguments& arguments) {
  const uint32_t smid = take_region(arguments, 0);
  if (smid == kNoSm) return device::hold(arguments.hold_ns);
  const Region region(arguments, smid, region_words(arguments.arena_bytes, arguments.share), 0);
  for (uint32_t warp = warp_in_block(); warp < kFullWarps; warp += kWarps) {
    const WarpLane lane = WarpLane::of(smid, warp);
    LaneResults results(arguments, lane);
    if (arguments.iterations != 0) march_region(arguments, region, lane, results);
    results.finish();
  }
  finish_sm(arguments, smid);
}

}  // namespace sentinel

SENTINEL_BOTH_KERNELS(hbm, sentinel::run_hbm)
