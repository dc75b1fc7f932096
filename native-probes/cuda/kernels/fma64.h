// fma64: DFMA, DADD, DMUL and the conversions of binary64.
#pragma once
#include "../../core/fma64.h"
#include "../skeleton.h"

namespace sentinel {

struct Fma64Unit {
  SENTINEL_DEVICE uint32_t fold64(uint32_t digest, uint64_t value) {
    return fold(fold(digest, static_cast<uint32_t>(value)), static_cast<uint32_t>(value >> 32));
  }

  SENTINEL_DEVICE uint32_t iterate(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t digest) {
    const Fma64Operands x = fma64_operands(seed, lane, iteration);
    digest = fold64(digest, canonical64(device::fma_f64(x.a, x.b, x.c)));
    digest = fold64(digest, canonical64(device::add_f64(x.a, x.c)));
    digest = fold64(digest, canonical64(device::mul_f64(x.a, x.b)));
    digest = fold(digest, device::int32_from_f64(integer_range64(x.a)));
    digest = fold64(digest, device::f64_from_int32(static_cast<uint32_t>(x.b)));
    digest = fold(digest, canonical(device::f32_from_f64(x.c)));
    digest = fold(digest, canonical(device::f32_from_f64(small_single_range(x.b))));
    return fold64(digest, canonical64(device::f64_from_f32(static_cast<uint32_t>(x.c))));
  }
};

}  // namespace sentinel

SENTINEL_LANE_KERNELS(fma64, sentinel::Fma64Unit)
