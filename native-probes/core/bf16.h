// Family bf16: packed bfloat16 (the upper half of binary32), the operand classes of half.h, and the four results of one
// (lane, iteration). sm_80 has the fma alone: there a + c is fma(a, kBf16Ones, c) and a * b is
// fma(a, b, kBf16NegativeZeros), bit for bit the same.
#pragma once
#include "half.h"

namespace sentinel {

constexpr uint32_t kBf16Results = 4;
constexpr uint32_t kBf16Ones = 0x3f803f80u;
constexpr uint32_t kBf16NegativeZeros = 0x80008000u;

SENTINEL_CORE HalfOperands bf16_operands(uint64_t seed, uint32_t lane, uint32_t iteration) {
  const HalfClasses classes = {kBfloat16, 127, 112, 31, 60, 57};
  return packed_operands(classes, seed, lane, iteration);
}

// The last one: the words a (low half) and b (high half) taken as binary32, rounded to bfloat16.
SENTINEL_CORE void bf16_results(HalfOperands x, uint32_t* results) {
  packed_results(kBfloat16, x, results);
  results[3] = convert(kBinary32, kBfloat16, x.a) | convert(kBinary32, kBfloat16, x.b) << 16;
}

}  // namespace sentinel
