// IEEE 754-2019 in integer arithmetic, for formats of up to 32 bits: round to nearest, ties to even, subnormals kept,
// every NaN the canonical one. A finite value is significand * 2^exponent with an integer significand; exact
// intermediate results are rounded once. What names no format is binary32.
#pragma once
#include "platform.h"

namespace sentinel {

constexpr uint32_t kSign = 0x80000000u;
constexpr uint32_t kInfinity = 0x7f800000u;
constexpr uint32_t kCanonicalNan = 0x7fffffffu;

// A binary format by its fraction bits, the exponent of its least subnormal, and the bits of infinity.
struct BinaryFormat {
  int fraction_bits;
  int least_exponent;
  uint32_t infinity;
};
constexpr BinaryFormat kBinary32 = {23, -149, kInfinity};
constexpr BinaryFormat kBinary16 = {10, -24, 0x7c00u};
constexpr BinaryFormat kBfloat16 = {7, -133, 0x7f80u};

// The bit above the exponent field of all ones.
SENTINEL_CORE uint32_t sign_bit(BinaryFormat format) { return format.infinity + (1u << format.fraction_bits); }
SENTINEL_CORE uint32_t canonical_nan(BinaryFormat format) { return sign_bit(format) - 1; }

SENTINEL_CORE uint32_t magnitude_of(BinaryFormat format, uint32_t x) { return x & (sign_bit(format) - 1); }
SENTINEL_CORE bool is_nan(BinaryFormat format, uint32_t x) { return magnitude_of(format, x) > format.infinity; }
SENTINEL_CORE bool is_infinite(BinaryFormat format, uint32_t x) { return magnitude_of(format, x) == format.infinity; }
SENTINEL_CORE bool is_zero(BinaryFormat format, uint32_t x) { return magnitude_of(format, x) == 0; }

SENTINEL_CORE bool is_nan(uint32_t x) { return is_nan(kBinary32, x); }
SENTINEL_CORE bool is_infinite(uint32_t x) { return is_infinite(kBinary32, x); }
SENTINEL_CORE bool is_zero(uint32_t x) { return is_zero(kBinary32, x); }

// NaN payloads and signs differ between vendors; nothing else does.
SENTINEL_CORE uint32_t canonical_in(BinaryFormat format, uint32_t x) {
  return is_nan(format, x) ? canonical_nan(format) : x;
}
SENTINEL_CORE uint32_t canonical(uint32_t x) { return canonical_in(kBinary32, x); }

// Of a finite x.
SENTINEL_CORE uint32_t significand_of(BinaryFormat format, uint32_t x) {
  const uint32_t hidden = 1u << format.fraction_bits;
  const uint32_t fraction = x & (hidden - 1);
  return (x & format.infinity) != 0 ? fraction | hidden : fraction;
}
SENTINEL_CORE int exponent_of(BinaryFormat format, uint32_t x) {
  const int biased = static_cast<int>((x & format.infinity) >> format.fraction_bits);
  return (biased != 0 ? biased - 1 : 0) + format.least_exponent;
}
SENTINEL_CORE uint32_t significand_of(uint32_t x) { return significand_of(kBinary32, x); }
SENTINEL_CORE int exponent_of(uint32_t x) { return exponent_of(kBinary32, x); }

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
  uint32_t sign;  // the format's sign bit or 0
  uint64_t significand;
  int exponent;
};

// The rounded sum of two finite terms. Both significands have at most 48 bits, so that after normalisation a difference
// whose lower term lost bits still has more than two bits below the rounding point.
SENTINEL_CORE uint32_t add_terms(BinaryFormat format, Term a, Term b) {
  if (a.significand == 0 && b.significand == 0) return a.sign & b.sign;
  if (a.significand == 0) return b.sign | round_to(format, b.significand, b.exponent);
  if (b.significand == 0) return a.sign | round_to(format, a.significand, a.exponent);
  normalise(a.significand, a.exponent);
  normalise(b.significand, b.exponent);
  const bool b_larger = b.exponent > a.exponent || (b.exponent == a.exponent && b.significand > a.significand);
  const Term& larger = b_larger ? b : a;
  const Term& smaller = b_larger ? a : b;
  const uint64_t aligned = shift_right_sticky(smaller.significand, larger.exponent - smaller.exponent);
  const uint64_t sum = a.sign == b.sign ? larger.significand + aligned : larger.significand - aligned;
  return sum == 0 ? 0 : larger.sign | round_to(format, sum, larger.exponent);
}

SENTINEL_CORE Term term_of(BinaryFormat format, uint32_t x) {
  return {x & sign_bit(format), significand_of(format, x), exponent_of(format, x)};
}

SENTINEL_CORE Term product_of(BinaryFormat format, uint32_t a, uint32_t b) {
  const uint64_t significand = static_cast<uint64_t>(significand_of(format, a)) * significand_of(format, b);
  return {(a ^ b) & sign_bit(format), significand, exponent_of(format, a) + exponent_of(format, b)};
}

SENTINEL_CORE uint32_t add_terms(Term a, Term b) { return add_terms(kBinary32, a, b); }
SENTINEL_CORE Term term_of(uint32_t x) { return term_of(kBinary32, x); }
SENTINEL_CORE Term product_of(uint32_t a, uint32_t b) { return product_of(kBinary32, a, b); }

SENTINEL_CORE uint32_t multiply(BinaryFormat format, uint32_t a, uint32_t b) {
  if (is_nan(format, a) || is_nan(format, b)) return canonical_nan(format);
  const uint32_t sign = (a ^ b) & sign_bit(format);
  if (is_infinite(format, a) || is_infinite(format, b)) {
    return is_zero(format, a) || is_zero(format, b) ? canonical_nan(format) : sign | format.infinity;
  }
  const Term product = product_of(format, a, b);
  return product.significand == 0 ? sign : sign | round_to(format, product.significand, product.exponent);
}

SENTINEL_CORE uint32_t add(BinaryFormat format, uint32_t a, uint32_t b) {
  if (is_nan(format, a) || is_nan(format, b)) return canonical_nan(format);
  if (is_infinite(format, a)) return is_infinite(format, b) && a != b ? canonical_nan(format) : a;
  if (is_infinite(format, b)) return b;
  return add_terms(format, term_of(format, a), term_of(format, b));
}

// a * b + c, rounded once.
SENTINEL_CORE uint32_t fused_multiply_add(BinaryFormat format, uint32_t a, uint32_t b, uint32_t c) {
  if (is_nan(format, a) || is_nan(format, b) || is_nan(format, c)) return canonical_nan(format);
  if (is_infinite(format, a) || is_infinite(format, b)) {
    if (is_zero(format, a) || is_zero(format, b)) return canonical_nan(format);
    const uint32_t product = ((a ^ b) & sign_bit(format)) | format.infinity;
    return is_infinite(format, c) && c != product ? canonical_nan(format) : product;
  }
  if (is_infinite(format, c)) return c;
  return add_terms(format, product_of(format, a, b), term_of(format, c));
}

SENTINEL_CORE uint32_t multiply32(uint32_t a, uint32_t b) { return multiply(kBinary32, a, b); }
SENTINEL_CORE uint32_t add32(uint32_t a, uint32_t b) { return add(kBinary32, a, b); }
SENTINEL_CORE uint32_t fma32(uint32_t a, uint32_t b, uint32_t c) { return fused_multiply_add(kBinary32, a, b, c); }

// x, rounded to a format with fewer bits or exact in one with more.
SENTINEL_CORE uint32_t convert(BinaryFormat from, BinaryFormat to, uint32_t x) {
  if (is_nan(from, x)) return canonical_nan(to);
  const uint32_t sign = (x & sign_bit(from)) != 0 ? sign_bit(to) : 0;
  if (is_infinite(from, x)) return sign | to.infinity;
  const uint32_t significand = significand_of(from, x);
  return significand == 0 ? sign : sign | round_to(to, significand, exponent_of(from, x));
}

}  // namespace sentinel
