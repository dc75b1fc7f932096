// tc_fp16: HMMA of binary16 with binary32 accumulators, and in one class of tiles with binary16 ones.
#pragma once
#include "../tensor.h"

namespace sentinel {

struct TcFp16Unit {
  SENTINEL_DEVICE uint32_t fold_halves(const ResultTap& tapped, uint32_t first, uint32_t digest,
                                       const uint32_t (&d)[2]) {
    for (uint32_t j = 0; j < 2; j++) {
      digest = fold(digest, tapped(first + 2 * j, tc_canonical16(d[j] & 0xffffu)));
      digest = fold(digest, tapped(first + 2 * j + 1, tc_canonical16(d[j] >> 16)));
    }
    return digest;
  }

  SENTINEL_DEVICE uint32_t multiply_twice_narrow(const ResultTap& tapped, const TcFragments& f, uint32_t digest) {
    const uint32_t c[2] = {f.c[0] | f.c[1] << 16, f.c[2] | f.c[3] << 16};
    uint32_t d[2], e[2];
    device::mma_f16_narrow(d, f.a, f.b, c);
    const TcFragments again = exchanged(f, f.c, TcFp16::kNegate);
    device::mma_f16_narrow(e, again.a, again.b, {d[1], d[0]});
    return fold_halves(tapped, 4, fold_halves(tapped, 0, digest, d), e);
  }

  SENTINEL_DEVICE uint32_t iterate(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t digest) {
    TcFragments f;
    tc_float_fragments<TcFp16>(tile_of(seed, lane, iteration), lane % kWarpLanes, f);
    device::sync_warp();
    const ResultTap tapped(lane, iteration);
    if (tc_class<TcFp16>(iteration).narrow) return multiply_twice_narrow(tapped, f, digest);
    return TcFloatUnit<TcFp16, device::mma_f16>::multiply_twice(tapped, f, digest);
  }
};

}  // namespace sentinel

SENTINEL_LANE_KERNELS(tc_fp16, sentinel::TcFp16Unit)
