// l2: the march of hbm over what stays in the second-level cache, and its atomic units.
#pragma once
#include "../../core/l2.h"
#include "../region.h"

namespace sentinel {

SENTINEL_DEVICE void atomic_multiply(uint32_t* place, uint32_t by) {
  uint32_t before = device::load_cg(place);
  for (uint32_t seen = ~before; seen != before;) {
    seen = before;
    before = device::compare_and_swap(place, seen, seen * by);
  }
}

SENTINEL_DEVICE void combine(uint32_t a, uint32_t* first, uint32_t* second, L2Pair by) {
  switch (a % kL2AtomicKinds) {
    case 0:
      device::atomic_add(first, by.first);
      device::atomic_xor(second, by.second);
      return;
    case 1:
      device::atomic_max(first, by.first);
      device::atomic_min(second, by.second);
      return;
    case 2:
      device::atomic_or(first, by.first);
      device::atomic_and(second, by.second);
      return;
    default:
      atomic_multiply(first, by.first);
      device::atomic_add(second, by.second);
  }
}

// The four warps of a group share these words; each reads them all.
SENTINEL_DEVICE void run_atomics(const LaunchArguments& arguments, const Region& region, const WarpLane& lane,
                                 LaneResults& results) {
  const uint32_t s = lane.warp % kL2Contributors;
  for (uint32_t a = s; a < kL2Atomics; a += kL2Contributors) {
    const L2Pair words = l2_initial(arguments.seed, lane.logical(), a);
    device::store_cg(region.head() + l2_atomic_offset(a, 0, lane.logical()), words.first);
    device::store_cg(region.head() + l2_atomic_offset(a, 1, lane.logical()), words.second);
  }
  device::sync_block();
  for (uint32_t a = 0; a < kL2Atomics; a++) {
    const uint32_t owner = lane.logical() ^ partner_of(a, s);
    combine(a, region.head() + l2_atomic_offset(a, 0, owner), region.head() + l2_atomic_offset(a, 1, owner),
            l2_contribution(arguments.seed, owner, a, s));
  }
  device::sync_block();
  for (uint32_t a = 0; a < kL2Atomics; a++) {
    const ResultTap tapped = results.tap(kHbmIterations + a);
    for (uint32_t which = 0; which < 2; which++)
      results.add(tapped(which, device::load_cg(region.head() + l2_atomic_offset(a, which, lane.logical()))));
    results.end_iteration(kHbmIterations + a);
  }
}

template <uint32_t kWarps>
SENTINEL_DEVICE void run_l2(const LaunchArguments& arguments) {
  const uint32_t smid = take_region(arguments, kL2AtomicWords);
  if (smid == kNoSm) return device::hold(arguments.hold_ns);
  const Region region(arguments, smid, region_words(arguments.arena_bytes, arguments.share), kL2AtomicWords);
  for (uint32_t warp = warp_in_block(); warp < kFullWarps; warp += kWarps) {
    const WarpLane lane = WarpLane::of(smid, warp);
    LaneResults results(arguments, lane);
    if (arguments.iterations != 0) {
      march_region(arguments, region, lane, results);
      run_atomics(arguments, region, lane, results);
    }
    results.finish();
  }
  finish_sm(arguments, smid);
}

}  // namespace sentinel

SENTINEL_BOTH_KERNELS(l2, sentinel::run_l2)
