// tc_fp8: products of e4m3 by QMMA, on sm_90a by QGMMA. Absent elsewhere: sm_80 and sm_86 have no such units, and those of
// sm_100a are reached by tcgen05 alone, which is not written before a GPU is at hand.
#pragma once
#include "../tensor.h"

#if defined(SENTINEL_FP8_BY_WARP)

SENTINEL_LANE_KERNELS(tc_fp8, sentinel::TcFloatUnit<sentinel::TcFp8, sentinel::device::mma_e4m3>)

#elif defined(SENTINEL_FP8_BY_WARPGROUP)

namespace sentinel {

// Both multiplications' operands of one warpgroup in shared memory, in words. A has the group's 16 rows four times, once
// for each warp, which writes them itself; the first warp writes B.
struct WarpgroupTiles {
  uint32_t a[2][4][2][2][kWarpLanes];  // [multiplication][warp][half of the rows][half of k][lane]
  uint32_t b[2][2][kWarpLanes];        // [multiplication][half of k][lane]
};

struct TcFp8Unit {
  SENTINEL_DEVICE WarpgroupTiles& tiles() {
    return reinterpret_cast<WarpgroupTiles*>(device::dynamic_shared())[warp_in_block() / kWarpsPerGroup];
  }

  SENTINEL_DEVICE void store(WarpgroupTiles& tiles, uint32_t multiplication, const TcFragments& f) {
    const uint32_t place = lane_in_warp(), warp = warp_in_block() % kWarpsPerGroup;
    for (uint32_t k = 0; k < 4; k++) tiles.a[multiplication][warp][k % 2][k / 2][place] = f.a[k];
    if (warp != 0) return;
    for (uint32_t k = 0; k < 2; k++) tiles.b[multiplication][k][place] = f.b[k];
  }

  SENTINEL_DEVICE uint32_t iterate(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t digest) {
    WarpgroupTiles& shared = tiles();
    TcFragments f;
    tc_float_fragments<TcFp8>(tile_of(seed, lane, iteration), lane % kWarpLanes, f);
    device::sync_warpgroup();  // nobody reads the tiles before this one any more
    store(shared, 0, f);
    store(shared, 1, exchanged(f, f.c, TcFp8::kNegate));
    device::publish_to_warpgroup_mma();
    uint32_t d[4] = {f.c[0], f.c[1], f.c[2], f.c[3]};
    device::warpgroup_mma_e4m3(d, shared.a[0][0][0][0], shared.b[0][0]);
    uint32_t e[4] = {d[2], d[3], d[0], d[1]};
    device::warpgroup_mma_e4m3(e, shared.a[1][0][0][0], shared.b[1][0]);
    const ResultTap tapped(lane, iteration);
    return fold_single(tapped, 4, fold_single(tapped, 0, digest, d), e);
  }
};

}  // namespace sentinel

SENTINEL_LANE_KERNELS(tc_fp8, sentinel::TcFp8Unit)

#endif
