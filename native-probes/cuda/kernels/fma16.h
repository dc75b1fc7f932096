// fma16: HFMA2, HADD2, HMUL2, two independent binary16 per lane.
#pragma once
#include "../../core/fma16.h"
#include "../skeleton.h"

namespace sentinel {

struct Fma16Unit {
  SENTINEL_DEVICE uint32_t iterate(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t digest) {
    const HalfOperands x = fma16_operands(seed, lane, iteration);
    const ResultTap tapped(lane, iteration);
    digest = fold(digest, tapped(0, canonical_halves(kBinary16, device::fma_f16x2(x.a, x.b, x.c))));
    digest = fold(digest, tapped(1, canonical_halves(kBinary16, device::add_f16x2(x.a, x.c))));
    return fold(digest, tapped(2, canonical_halves(kBinary16, device::mul_f16x2(x.a, x.b))));
  }
};

}  // namespace sentinel

SENTINEL_LANE_KERNELS(fma16, sentinel::Fma16Unit)
