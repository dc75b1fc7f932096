// Conversions of binary32 from and to 32-bit integers and binary16, rounded to nearest, ties to even.
#pragma once
#include "float32.h"

namespace sentinel {

constexpr uint32_t kCanonicalNan16 = 0x7fffu;

// Two's complement of the integer nearest to x. |x| < 2^31: outside of it CPUs and GPUs differ by design.
SENTINEL_CORE uint32_t to_int32(uint32_t x) {
  const int exponent = exponent_of(x);
  uint64_t magnitude = significand_of(x);
  if (exponent >= 0) {
    magnitude <<= exponent;
  } else if (exponent < -25) {
    magnitude = 0;  // below one half
  } else {
    const uint64_t half = uint64_t{1} << (-exponent - 1);
    const uint64_t rest = magnitude & (half | (half - 1));
    magnitude >>= -exponent;
    if (rest > half || (rest == half && (magnitude & 1) != 0)) magnitude++;
  }
  return (x & kSign) != 0 ? 0u - static_cast<uint32_t>(magnitude) : static_cast<uint32_t>(magnitude);
}

// The integer is given as its two's complement.
SENTINEL_CORE uint32_t from_int32(uint32_t integer) {
  if (integer == 0) return 0;
  const uint32_t sign = integer & kSign;
  return sign | round_to(kBinary32, sign != 0 ? 0u - integer : integer, 0);
}

SENTINEL_CORE uint32_t to_binary16(uint32_t x) { return convert(kBinary32, kBinary16, x); }

// Of the low 16 bits.
SENTINEL_CORE uint32_t from_binary16(uint32_t half) { return convert(kBinary16, kBinary32, half & 0xffffu); }

}  // namespace sentinel
