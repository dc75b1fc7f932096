// IEEE 754-2019 binary64 in integer arithmetic, as float32.h does binary32: round to nearest, ties to even, subnormals
// kept, every NaN the canonical one. Exact intermediate results have up to 106 bits and are rounded once.
#pragma once
#include "convert32.h"

namespace sentinel {

constexpr uint64_t kSign64 = 0x8000000000000000u;
constexpr uint64_t kInfinity64 = 0x7ff0000000000000u;
constexpr uint64_t kCanonicalNan64 = 0x7fffffffffffffffu;
constexpr uint64_t kFraction64 = 0x000fffffffffffffu;
constexpr int kFractionBits64 = 52;
constexpr int kLeastExponent64 = -1074;  // of the least subnormal

SENTINEL_CORE bool is_nan64(uint64_t x) { return (x & ~kSign64) > kInfinity64; }
SENTINEL_CORE bool is_infinite64(uint64_t x) { return (x & ~kSign64) == kInfinity64; }
SENTINEL_CORE bool is_zero64(uint64_t x) { return (x & ~kSign64) == 0; }
SENTINEL_CORE uint64_t canonical64(uint64_t x) { return is_nan64(x) ? kCanonicalNan64 : x; }

// Of a finite x, which is significand * 2^exponent.
SENTINEL_CORE uint64_t significand_of64(uint64_t x) {
  const uint64_t fraction = x & kFraction64;
  return (x & kInfinity64) != 0 ? fraction | (uint64_t{1} << kFractionBits64) : fraction;
}
SENTINEL_CORE int exponent_of64(uint64_t x) {
  const int biased = static_cast<int>((x & kInfinity64) >> kFractionBits64);
  return (biased != 0 ? biased - 1 : 0) + kLeastExponent64;
}

// Bits (without sign) of significand * 2^exponent. significand must not be 0; its lowest bit may stand for "and
// something smaller" if at least two more bits are rounded away.
SENTINEL_CORE uint64_t round_to64(uint128_t significand, int exponent) {
  const int top = 127 - leading_zeros128(significand);
  int quantum = exponent + top - kFractionBits64;
  if (quantum < kLeastExponent64) quantum = kLeastExponent64;
  const int dropped = quantum - exponent;
  uint64_t kept;
  if (dropped <= 0) {
    kept = static_cast<uint64_t>(significand) << -dropped;
  } else if (dropped > top + 1) {
    kept = 0;  // below half of the least subnormal
  } else {
    const uint128_t half = uint128_t{1} << (dropped - 1);
    const uint128_t rest = significand & (half | (half - 1));
    kept = dropped == 128 ? 0 : static_cast<uint64_t>(significand >> dropped);
    if (rest > half || (rest == half && (kept & 1) != 0)) kept++;
  }
  if (quantum > 1023) return kInfinity64;
  // The hidden bit of a normal significand adds one to the exponent field, and so does a carry out of the fraction.
  const uint64_t bits = (static_cast<uint64_t>(quantum - kLeastExponent64) << kFractionBits64) + kept;
  return bits >= kInfinity64 ? kInfinity64 : bits;
}

struct Term64 {
  uint64_t sign;  // kSign64 or 0
  uint128_t significand;
  int exponent;
};

// Moves the highest set bit to bit 126.
SENTINEL_CORE Term64 normalised(Term64 x) {
  const int shift = leading_zeros128(x.significand) - 1;
  return {x.sign, x.significand << shift, x.exponent - shift};
}

// x >> n, with every bit shifted out kept in the lowest one.
SENTINEL_CORE uint128_t shift_right_sticky128(uint128_t x, int n) {
  if (n >= 128) return x != 0;
  const uint128_t lost = x & ((uint128_t{1} << n) - 1);
  return x >> n | (lost != 0);
}

// The rounded sum of two finite terms. Both significands have at most 106 bits, so that after normalisation a
// difference whose lower term lost bits still has more than two bits below the rounding point.
SENTINEL_CORE uint64_t add_terms64(Term64 a, Term64 b) {
  if (a.significand == 0 && b.significand == 0) return a.sign & b.sign;
  if (a.significand == 0) return b.sign | round_to64(b.significand, b.exponent);
  if (b.significand == 0) return a.sign | round_to64(a.significand, a.exponent);
  a = normalised(a);
  b = normalised(b);
  const bool b_larger = b.exponent > a.exponent || (b.exponent == a.exponent && b.significand > a.significand);
  const Term64& larger = b_larger ? b : a;
  const Term64& smaller = b_larger ? a : b;
  const uint128_t aligned = shift_right_sticky128(smaller.significand, larger.exponent - smaller.exponent);
  const uint128_t sum = a.sign == b.sign ? larger.significand + aligned : larger.significand - aligned;
  return sum == 0 ? 0 : larger.sign | round_to64(sum, larger.exponent);
}

SENTINEL_CORE Term64 term_of64(uint64_t x) { return {x & kSign64, significand_of64(x), exponent_of64(x)}; }

SENTINEL_CORE Term64 product_of64(uint64_t a, uint64_t b) {
  const uint128_t significand = static_cast<uint128_t>(significand_of64(a)) * significand_of64(b);
  return {(a ^ b) & kSign64, significand, exponent_of64(a) + exponent_of64(b)};
}

SENTINEL_CORE uint64_t multiply64(uint64_t a, uint64_t b) {
  if (is_nan64(a) || is_nan64(b)) return kCanonicalNan64;
  const uint64_t sign = (a ^ b) & kSign64;
  if (is_infinite64(a) || is_infinite64(b)) return is_zero64(a) || is_zero64(b) ? kCanonicalNan64 : sign | kInfinity64;
  const Term64 product = product_of64(a, b);
  return product.significand == 0 ? sign : sign | round_to64(product.significand, product.exponent);
}

SENTINEL_CORE uint64_t add64(uint64_t a, uint64_t b) {
  if (is_nan64(a) || is_nan64(b)) return kCanonicalNan64;
  if (is_infinite64(a)) return is_infinite64(b) && a != b ? kCanonicalNan64 : a;
  if (is_infinite64(b)) return b;
  return add_terms64(term_of64(a), term_of64(b));
}

// a * b + c, rounded once.
SENTINEL_CORE uint64_t fma64(uint64_t a, uint64_t b, uint64_t c) {
  if (is_nan64(a) || is_nan64(b) || is_nan64(c)) return kCanonicalNan64;
  if (is_infinite64(a) || is_infinite64(b)) {
    if (is_zero64(a) || is_zero64(b)) return kCanonicalNan64;
    const uint64_t product = ((a ^ b) & kSign64) | kInfinity64;
    return is_infinite64(c) && c != product ? kCanonicalNan64 : product;
  }
  if (is_infinite64(c)) return c;
  return add_terms64(product_of64(a, b), term_of64(c));
}

// Two's complement of the integer nearest to x. |x| <= 2^31 - 1: outside of it CPUs and GPUs differ by design.
SENTINEL_CORE uint32_t binary64_to_int32(uint64_t x) {
  const int exponent = exponent_of64(x);
  uint64_t magnitude = significand_of64(x);
  if (exponent < -54) {
    magnitude = 0;  // below one half
  } else {
    const uint64_t half = uint64_t{1} << (-exponent - 1);
    const uint64_t rest = magnitude & (half | (half - 1));
    magnitude >>= -exponent;
    if (rest > half || (rest == half && (magnitude & 1) != 0)) magnitude++;
  }
  return (x & kSign64) != 0 ? 0u - static_cast<uint32_t>(magnitude) : static_cast<uint32_t>(magnitude);
}

// The integer is given as its two's complement. Exact.
SENTINEL_CORE uint64_t binary64_from_int32(uint32_t integer) {
  if (integer == 0) return 0;
  const bool negative = (integer & kSign) != 0;
  return (negative ? kSign64 : 0) | round_to64(negative ? 0u - integer : integer, 0);
}

SENTINEL_CORE uint32_t binary64_to_binary32(uint64_t x) {
  if (is_nan64(x)) return kCanonicalNan;
  const uint32_t sign = static_cast<uint32_t>(x >> 32) & kSign;
  if (is_infinite64(x)) return sign | kInfinity;
  const uint64_t significand = significand_of64(x);
  return significand == 0 ? sign : sign | round_to(kBinary32, significand, exponent_of64(x));
}

// Exact.
SENTINEL_CORE uint64_t binary64_from_binary32(uint32_t x) {
  if (is_nan(x)) return kCanonicalNan64;
  const uint64_t sign = static_cast<uint64_t>(x & kSign) << 32;
  if (is_infinite(x)) return sign | kInfinity64;
  const uint32_t significand = significand_of(x);
  return significand == 0 ? sign : sign | round_to64(significand, exponent_of(x));
}

}  // namespace sentinel
