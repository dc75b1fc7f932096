// fma32: FFMA, FADD, FMUL and the conversions of binary32.
#pragma once
#include "../../core/fma32.h"
#include "../skeleton.h"

namespace sentinel {

struct Fma32Unit {
  SENTINEL_DEVICE uint32_t iterate(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t digest) {
    const Fma32Operands x = fma32_operands(seed, lane, iteration);
    const ResultTap tapped(lane, iteration);
    digest = fold(digest, tapped(0, canonical(device::fma_f32(x.a, x.b, x.c))));
    digest = fold(digest, tapped(1, canonical(device::add_f32(x.a, x.c))));
    digest = fold(digest, tapped(2, canonical(device::mul_f32(x.a, x.b))));
    digest = fold(digest, tapped(3, device::int32_from_f32(integer_range(x.a))));
    digest = fold(digest, tapped(4, device::f32_from_int32(x.b)));
    digest = fold(digest, tapped(5, canonical_in(kBinary16, device::f16_from_f32(x.c))));
    return fold(digest, tapped(6, canonical(device::f32_from_f16(x.c & 0xffffu))));
  }
};

}  // namespace sentinel

SENTINEL_LANE_KERNELS(fma32, sentinel::Fma32Unit)
