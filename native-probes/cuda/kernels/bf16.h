// bf16: HFMA2.BF16 and, where an architecture has them, the sum and the product, two independent bfloat16 per lane; and
// the conversion from binary32.
#pragma once
#include "../../core/bf16.h"
#include "../skeleton.h"

namespace sentinel {

struct Bf16Unit {
  SENTINEL_DEVICE uint32_t iterate(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t digest) {
    const HalfOperands x = bf16_operands(seed, lane, iteration);
    const ResultTap tapped(lane, iteration);
    digest = fold(digest, tapped(0, canonical_halves(kBfloat16, device::fma_bf16x2(x.a, x.b, x.c))));
    digest = fold(digest, tapped(1, canonical_halves(kBfloat16, device::add_bf16x2(x.a, x.c))));
    digest = fold(digest, tapped(2, canonical_halves(kBfloat16, device::mul_bf16x2(x.a, x.b))));
    return fold(digest, tapped(3, canonical_halves(kBfloat16, device::bf16x2_from_f32(x.a, x.b))));
  }
};

}  // namespace sentinel

SENTINEL_LANE_KERNELS(bf16, sentinel::Bf16Unit)
