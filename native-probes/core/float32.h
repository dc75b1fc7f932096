// IEEE 754-2019 binary32 in integer arithmetic: round to nearest, ties to even, subnormals kept, every NaN the
// canonical one. A finite value is significand * 2^exponent with an integer significand; exact intermediate results are
// rounded once.
#pragma once
#include "platform.h"

namespace sentinel {

constexpr uint32_t kSign = 0x80000000u;
constexpr uint32_t kInfinity = 0x7f800000u;
constexpr uint32_t kCanonicalNan = 0x7fffffffu;

SENTINEL_CORE bool is_nan(uint32_t x) { return (x & ~kSign) > kInfinity; }
SENTINEL_CORE bool is_infinite(uint32_t x) { return (x & ~kSign) == kInfinity; }
SENTINEL_CORE bool is_zero(uint32_t x) { return (x & ~kSign) == 0; }

// NaN payloads and signs differ between vendors; nothing else does.
SENTINEL_CORE uint32_t canonical(uint32_t x) { return is_nan(x) ? kCanonicalNan : x; }

// Of a finite x.
SENTINEL_CORE uint32_t significand_of(uint32_t x) {
  const uint32_t fraction = x & 0x7fffffu;
  return (x & kInfinity) != 0 ? fraction | 0x800000u : fraction;
}
SENTINEL_CORE int exponent_of(uint32_t x) {
  const int biased = static_cast<int>((x & kInfinity) >> 23);
  return (biased != 0 ? biased : 1) - 150;
}

// A binary format by its fraction bits, the exponent of its least subnormal, and the bits of infinity.
struct BinaryFormat {
  int fraction_bits;
  int least_exponent;
  uint32_t infinity;
};
constexpr BinaryFormat kBinary32 = {23, -149, kInfinity};
constexpr BinaryFormat kBinary16 = {10, -24, 0x7c00u};

// Bits (without sign) of significand * 2^exponent, rounded to the format. significand must not be 0; its lowest bit may
// stand for "and something smaller" if at least two more bits are rounded away.
SENTINEL_CORE uint32_t round_to(BinaryFormat format, uint64_t significand, int exponent) {
  const int top = 63 - leading_zeros64(significand);
  int quantum = exponent + top - format.fraction_bits;
  if (quantum < format.least_exponent) quantum = format.least_exponent;
  const int dropped = quantum - exponent;
  uint64_t kept;
  if (dropped <= 0) {
    kept = significand << -dropped;
  } else if (dropped > top + 1) {
    kept = 0;  // below half of the least subnormal
  } else {
    const uint64_t half = uint64_t{1} << (dropped - 1);
    const uint64_t rest = significand & (half | (half - 1));
    kept = dropped == 64 ? 0 : significand >> dropped;
    if (rest > half || (rest == half && (kept & 1) != 0)) kept++;
  }
  // The hidden bit of a normal significand adds one to the exponent field, and so does a carry out of the fraction.
  const uint64_t field = static_cast<uint64_t>(quantum - format.least_exponent) << format.fraction_bits;
  const uint64_t bits = field + kept;
  return bits >= format.infinity ? format.infinity : static_cast<uint32_t>(bits);
}

// Moves the highest set bit to bit 62.
SENTINEL_CORE void normalise(uint64_t& significand, int& exponent) {
  const int shift = leading_zeros64(significand) - 1;
  significand <<= shift;
  exponent -= shift;
}

// x >> n, with every bit shifted out kept in the lowest one.
SENTINEL_CORE uint64_t shift_right_sticky(uint64_t x, int n) {
  if (n >= 64) return x != 0;
  const uint64_t lost = x & ((uint64_t{1} << n) - 1);
  return x >> n | (lost != 0);
}

struct Term {
  uint32_t sign;  // kSign or 0
  uint64_t significand;
  int exponent;
};

// The rounded sum of two finite terms. Both significands have at most 48 bits, so that after normalisation a difference
// whose lower term lost bits still has more than two bits below the rounding point.
SENTINEL_CORE uint32_t add_terms(Term a, Term b) {
  if (a.significand == 0 && b.significand == 0) return a.sign & b.sign;
  if (a.significand == 0) return b.sign | round_to(kBinary32, b.significand, b.exponent);
  if (b.significand == 0) return a.sign | round_to(kBinary32, a.significand, a.exponent);
  normalise(a.significand, a.exponent);
  normalise(b.significand, b.exponent);
  const bool b_larger = b.exponent > a.exponent || (b.exponent == a.exponent && b.significand > a.significand);
  const Term& larger = b_larger ? b : a;
  const Term& smaller = b_larger ? a : b;
  const uint64_t aligned = shift_right_sticky(smaller.significand, larger.exponent - smaller.exponent);
  const uint64_t sum = a.sign == b.sign ? larger.significand + aligned : larger.significand - aligned;
  return sum == 0 ? 0 : larger.sign | round_to(kBinary32, sum, larger.exponent);
}

SENTINEL_CORE Term term_of(uint32_t x) { return {x & kSign, significand_of(x), exponent_of(x)}; }

SENTINEL_CORE Term product_of(uint32_t a, uint32_t b) {
  const uint64_t significand = static_cast<uint64_t>(significand_of(a)) * significand_of(b);
  return {(a ^ b) & kSign, significand, exponent_of(a) + exponent_of(b)};
}

SENTINEL_CORE uint32_t multiply32(uint32_t a, uint32_t b) {
  if (is_nan(a) || is_nan(b)) return kCanonicalNan;
  const uint32_t sign = (a ^ b) & kSign;
  if (is_infinite(a) || is_infinite(b)) return is_zero(a) || is_zero(b) ? kCanonicalNan : sign | kInfinity;
  const Term product = product_of(a, b);
  return product.significand == 0 ? sign : sign | round_to(kBinary32, product.significand, product.exponent);
}

SENTINEL_CORE uint32_t add32(uint32_t a, uint32_t b) {
  if (is_nan(a) || is_nan(b)) return kCanonicalNan;
  if (is_infinite(a)) return is_infinite(b) && a != b ? kCanonicalNan : a;
  if (is_infinite(b)) return b;
  return add_terms(term_of(a), term_of(b));
}

// a * b + c, rounded once.
SENTINEL_CORE uint32_t fma32(uint32_t a, uint32_t b, uint32_t c) {
  if (is_nan(a) || is_nan(b) || is_nan(c)) return kCanonicalNan;
  if (is_infinite(a) || is_infinite(b)) {
    if (is_zero(a) || is_zero(b)) return kCanonicalNan;
    const uint32_t product = ((a ^ b) & kSign) | kInfinity;
    return is_infinite(c) && c != product ? kCanonicalNan : product;
  }
  if (is_infinite(c)) return c;
  return add_terms(product_of(a, b), term_of(c));
}

}  // namespace sentinel
