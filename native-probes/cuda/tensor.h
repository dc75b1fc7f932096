// What the tensor core kernels have in common: a tile's two multiplications and the fold of their accumulators.
#pragma once
#include <device_mma.h>

#include "../core/tc_exact.h"
#include "skeleton.h"

namespace sentinel {

SENTINEL_DEVICE TcTile tile_of(uint64_t seed, uint32_t lane, uint32_t iteration) {
  return {seed, lane / kWarpLanes, iteration};
}

// The second multiplication's operands: -A, or ~A, and C = D, with the halves of k and of the rows exchanged.
SENTINEL_DEVICE TcFragments exchanged(const TcFragments& f, const uint32_t (&d)[4], uint32_t negate) {
  return {{f.a[3] ^ negate, f.a[2] ^ negate, f.a[1] ^ negate, f.a[0] ^ negate},
          {f.b[1], f.b[0]},
          {d[2], d[3], d[0], d[1]}};
}

// The accumulators are the results `first` and following of their iteration.
SENTINEL_DEVICE uint32_t fold_accumulators(const ResultTap& tapped, uint32_t first, uint32_t digest,
                                           const uint32_t (&d)[4]) {
  for (uint32_t j = 0; j < 4; j++) digest = fold(digest, tapped(first + j, d[j]));
  return digest;
}

SENTINEL_DEVICE uint32_t fold_single(const ResultTap& tapped, uint32_t first, uint32_t digest, const uint32_t (&d)[4]) {
  for (uint32_t j = 0; j < 4; j++) digest = fold(digest, tapped(first + j, tc_canonical32(d[j])));
  return digest;
}

// A floating-point format by mma.sync with single precision accumulators.
template <class Format, device::WarpMma multiply>
struct TcFloatUnit {
  SENTINEL_DEVICE uint32_t multiply_twice(const ResultTap& tapped, const TcFragments& f, uint32_t digest) {
    uint32_t d[4], e[4];
    multiply(d, f.a, f.b, f.c);
    const TcFragments again = exchanged(f, d, Format::kNegate);
    multiply(e, again.a, again.b, again.c);
    return fold_single(tapped, 4, fold_single(tapped, 0, digest, d), e);
  }

  SENTINEL_DEVICE uint32_t iterate(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t digest) {
    TcFragments f;
    tc_float_fragments<Format>(tile_of(seed, lane, iteration), lane % kWarpLanes, f);
    device::sync_warp();
    return multiply_twice(ResultTap(lane, iteration), f, digest);
  }
};

}  // namespace sentinel
