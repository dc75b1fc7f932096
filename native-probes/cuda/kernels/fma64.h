// fma64: DFMA, DADD, DMUL and the conversions of binary64.
#pragma once
#include "../../core/fma64.h"
#include "../skeleton.h"

namespace sentinel {

struct Fma64Unit {
  SENTINEL_DEVICE uint32_t fold64(const ResultTap& tapped, uint32_t number, uint32_t digest, uint64_t value) {
    const uint32_t low = tapped(number, static_cast<uint32_t>(value));
    return fold(fold(digest, low), tapped(number + 1, static_cast<uint32_t>(value >> 32)));
  }

  SENTINEL_DEVICE uint32_t iterate(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t digest) {
    const Fma64Operands x = fma64_operands(seed, lane, iteration);
    const ResultTap tapped(lane, iteration);
    digest = fold64(tapped, 0, digest, canonical64(device::fma_f64(x.a, x.b, x.c)));
    digest = fold64(tapped, 2, digest, canonical64(device::add_f64(x.a, x.c)));
    digest = fold64(tapped, 4, digest, canonical64(device::mul_f64(x.a, x.b)));
    digest = fold(digest, tapped(6, device::int32_from_f64(integer_range64(x.a))));
    digest = fold64(tapped, 7, digest, device::f64_from_int32(static_cast<uint32_t>(x.b)));
    digest = fold(digest, tapped(9, canonical(device::f32_from_f64(x.c))));
    digest = fold(digest, tapped(10, canonical(device::f32_from_f64(small_single_range(x.b)))));
    return fold64(tapped, 11, digest, canonical64(device::f64_from_f32(static_cast<uint32_t>(x.c))));
  }
};

}  // namespace sentinel

SENTINEL_LANE_KERNELS(fma64, sentinel::Fma64Unit)
