// sfu: MUFU in all its functions. Nothing but other SMs says what is right.
#pragma once
#include "../../core/sfu.h"
#include "../skeleton.h"

namespace sentinel {

struct SfuUnit {
  SENTINEL_DEVICE uint32_t iterate(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t digest) {
    const SfuOperands x = sfu_operands(seed, lane, iteration);
    digest = fold(digest, canonical(device::ex2_f32(x.exponent)));
    digest = fold(digest, canonical(device::lg2_f32(x.positive)));
    digest = fold(digest, canonical(device::rcp_f32(x.positive)));
    digest = fold(digest, canonical(device::rsqrt_f32(x.positive)));
    digest = fold(digest, canonical(device::sqrt_f32(x.positive)));
    digest = fold(digest, canonical(device::sin_f32(x.angle)));
    digest = fold(digest, canonical(device::cos_f32(x.angle)));
    return fold(digest, canonical(device::tanh_f32(x.middling)));
  }
};

}  // namespace sentinel

SENTINEL_LANE_KERNELS(sfu, sentinel::SfuUnit)
