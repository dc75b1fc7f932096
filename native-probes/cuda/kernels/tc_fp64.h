// tc_fp64: DMMA.
#pragma once
#include "../tensor.h"

namespace sentinel {

struct TcFp64Unit {
  SENTINEL_DEVICE uint32_t fold_doubles(const ResultTap& tapped, uint32_t first, uint32_t digest,
                                        const uint64_t (&d)[2]) {
    for (uint32_t j = 0; j < 2; j++) {
      const uint64_t value = tc_canonical64(d[j]);
      digest = fold(digest, tapped(first + 2 * j, static_cast<uint32_t>(value)));
      digest = fold(digest, tapped(first + 2 * j + 1, static_cast<uint32_t>(value >> 32)));
    }
    return digest;
  }

  SENTINEL_DEVICE uint32_t iterate(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t digest) {
    TcFp64Fragments f;
    tc_fp64_fragments(tile_of(seed, lane, iteration), lane % kWarpLanes, f);
    device::sync_warp();
    uint64_t d[2], e[2];
    device::mma_f64(d, f.a, f.b, f.c);
    device::mma_f64(e, f.a ^ kSign64, f.b, d);
    const ResultTap tapped(lane, iteration);
    return fold_doubles(tapped, 4, fold_doubles(tapped, 0, digest, d), e);
  }
};

}  // namespace sentinel

SENTINEL_LANE_KERNELS(tc_fp64, sentinel::TcFp64Unit)
