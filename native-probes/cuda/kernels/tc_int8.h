// tc_int8: IMMA of signed bytes.
#pragma once
#include "../tensor.h"

namespace sentinel {

struct TcInt8Unit {
  SENTINEL_DEVICE uint32_t iterate(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t digest) {
    TcFragments f;
    tc_int8_fragments(tile_of(seed, lane, iteration), lane % kWarpLanes, f);
    device::sync_warp();
    uint32_t d[4], e[4];
    device::mma_s8(d, f.a, f.b, f.c);
    const TcFragments again = exchanged(f, d, TcInt8::kNegate);
    device::mma_s8(e, again.a, again.b, again.c);
    const ResultTap tapped(lane, iteration);
    return fold_accumulators(tapped, 4, fold_accumulators(tapped, 0, digest, d), e);
  }
};

}  // namespace sentinel

SENTINEL_LANE_KERNELS(tc_int8, sentinel::TcInt8Unit)
