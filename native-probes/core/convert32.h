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

SENTINEL_CORE uint32_t to_binary16(uint32_t x) {
  if (is_nan(x)) return kCanonicalNan16;
  const uint32_t sign = (x & kSign) >> 16;
  if (is_infinite(x)) return sign | kBinary16.infinity;
  const uint32_t significand = significand_of(x);
  return significand == 0 ? sign : sign | round_to(kBinary16, significand, exponent_of(x));
}

// Of the low 16 bits.
SENTINEL_CORE uint32_t from_binary16(uint32_t half) {
  const uint32_t sign = (half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  const uint32_t fraction = half & 0x3ffu;
  if (magnitude > kBinary16.infinity) return kCanonicalNan;
  if (magnitude == kBinary16.infinity) return sign | kInfinity;
  if (magnitude == 0) return sign;
  const int field = static_cast<int>(magnitude >> kBinary16.fraction_bits);
  const uint32_t significand = field != 0 ? fraction | 0x400u : fraction;
  return sign | round_to(kBinary32, significand, (field != 0 ? field - 1 : 0) + kBinary16.least_exponent);
}

}  // namespace sentinel
