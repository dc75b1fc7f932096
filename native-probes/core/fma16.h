// Family fma16: packed binary16, the operand classes of half.h, and the three results of one (lane, iteration). A device
// computes them with fma.rn, add.rn and mul.rn of f16x2 and makes them canonical with canonical_halves(kBinary16, …).
#pragma once
#include "half.h"

namespace sentinel {

constexpr uint32_t kFma16Results = 3;

SENTINEL_CORE HalfOperands fma16_operands(uint64_t seed, uint32_t lane, uint32_t iteration) {
  const HalfClasses classes = {kBinary16, 15, 11, 7, 1, 1};
  return packed_operands(classes, seed, lane, iteration);
}

SENTINEL_CORE void fma16_results(HalfOperands x, uint32_t* results) { packed_results(kBinary16, x, results); }

}  // namespace sentinel
