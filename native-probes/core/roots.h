// Square roots and quotients of binary32 and binary64 in integer arithmetic, correctly rounded as float32.h says.
#pragma once
#include "float64.h"

namespace sentinel {

constexpr uint32_t kQuotientBits = 64;

// The first 64 bits of numerator / divisor < 2, with a lowest bit for what is left. One bit per step: no library call.
SENTINEL_CORE uint64_t long_division(uint64_t numerator, uint64_t divisor) {
  uint64_t quotient = 0;
  for (uint32_t k = 0; k < kQuotientBits; k++) {
    const bool fits = numerator >= divisor;
    if (fits) numerator -= divisor;
    quotient = quotient << 1 | fits;
    numerator <<= 1;
  }
  return quotient | (numerator != 0);
}

// The integer square root of x < 2^126, with a lowest bit for what is left.
SENTINEL_CORE uint64_t long_root(uint128_t x) {
  uint128_t root = 0, rest = x;
  for (uint128_t bit = uint128_t{1} << 124; bit != 0; bit >>= 2) {
    const bool fits = rest >= root + bit;
    if (fits) rest -= root + bit;
    root = root >> 1 | (fits ? bit : 0);
  }
  return static_cast<uint64_t>(root) | (rest != 0);
}

// A significand with its highest bit at 61, so that shifts of the long division cannot lose one.
struct Scaled {
  uint64_t significand;
  int exponent;
};

SENTINEL_CORE Scaled scaled(uint64_t significand, int exponent) {
  const int shift = leading_zeros64(significand) - 2;
  return {significand << shift, exponent - shift};
}

// significand_a * 2^exponent_a / (significand_b * 2^exponent_b); the result has 64 bits and a lowest one for the rest.
SENTINEL_CORE Scaled scaled_quotient(Scaled a, Scaled b) {
  return {long_division(a.significand, b.significand), a.exponent - b.exponent - 63};
}

// The exponent is made even, the radicand has its highest bit at 122 or 123.
SENTINEL_CORE Scaled scaled_root(Scaled a) {
  const int odd = (a.exponent + 62) & 1;
  const uint128_t radicand = static_cast<uint128_t>(a.significand) << (62 - odd);
  return {long_root(radicand), (a.exponent - 62 + odd) / 2};
}

SENTINEL_CORE uint32_t divide32(uint32_t a, uint32_t b) {
  if (is_nan(a) || is_nan(b)) return kCanonicalNan;
  const uint32_t sign = (a ^ b) & kSign;
  if (is_infinite(a)) return is_infinite(b) ? kCanonicalNan : sign | kInfinity;
  if (is_infinite(b)) return sign;
  if (is_zero(b)) return is_zero(a) ? kCanonicalNan : sign | kInfinity;
  if (is_zero(a)) return sign;
  const Scaled q = scaled_quotient(scaled(significand_of(a), exponent_of(a)), scaled(significand_of(b), exponent_of(b)));
  return sign | round_to(kBinary32, q.significand, q.exponent);
}

SENTINEL_CORE uint64_t divide64(uint64_t a, uint64_t b) {
  if (is_nan64(a) || is_nan64(b)) return kCanonicalNan64;
  const uint64_t sign = (a ^ b) & kSign64;
  if (is_infinite64(a)) return is_infinite64(b) ? kCanonicalNan64 : sign | kInfinity64;
  if (is_infinite64(b)) return sign;
  if (is_zero64(b)) return is_zero64(a) ? kCanonicalNan64 : sign | kInfinity64;
  if (is_zero64(a)) return sign;
  const Scaled q =
      scaled_quotient(scaled(significand_of64(a), exponent_of64(a)), scaled(significand_of64(b), exponent_of64(b)));
  return sign | round_to64(q.significand, q.exponent);
}

SENTINEL_CORE uint32_t square_root32(uint32_t x) {
  if (is_nan(x) || is_zero(x)) return canonical(x);
  if ((x & kSign) != 0) return kCanonicalNan;
  if (is_infinite(x)) return x;
  const Scaled root = scaled_root(scaled(significand_of(x), exponent_of(x)));
  return round_to(kBinary32, root.significand, root.exponent);
}

SENTINEL_CORE uint64_t square_root64(uint64_t x) {
  if (is_nan64(x) || is_zero64(x)) return canonical64(x);
  if ((x & kSign64) != 0) return kCanonicalNan64;
  if (is_infinite64(x)) return x;
  const Scaled root = scaled_root(scaled(significand_of64(x), exponent_of64(x)));
  return round_to64(root.significand, root.exponent);
}

}  // namespace sentinel
