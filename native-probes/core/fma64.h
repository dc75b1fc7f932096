// Family fma64: the operand classes of fma32 for binary64, and the eight results of one (lane, iteration). A binary64
// is two words, low half first.
#pragma once
#include "float64.h"
#include "random.h"

namespace sentinel {

struct Fma64Operands {
  uint64_t a, b, c;
};

SENTINEL_CORE uint64_t pack64(uint64_t sign_source, uint64_t biased_exponent, uint64_t fraction_source) {
  return (sign_source & kSign64) | biased_exponent << kFractionBits64 | (fraction_source & kFraction64);
}

// Class 7 and the edges of the others: zeros, infinities, both kinds of NaN, the ends of the subnormal and normal
// ranges, 1, 2^53 - 1.
SENTINEL_CORE uint64_t special64(uint64_t selector, uint64_t random) {
  const uint64_t sign = random & kSign64;
  const uint64_t payload = random & 0x8007ffffffffffffu;
  switch (selector & 15) {
    case 0: return 0;
    case 1: return kSign64;
    case 2: return kInfinity64;
    case 3: return kSign64 | kInfinity64;
    case 4: return 0x7ff8000000000000u | payload;
    case 5: return 0x7ff0000000000001u | payload;
    case 6: return sign | 0x0000000000000001u;
    case 7: return sign | 0x000fffffffffffffu;
    case 8: return sign | 0x0010000000000000u;
    case 9: return sign | 0x7fefffffffffffffu;
    case 10: return sign | 0x3ff0000000000000u;
    case 11: return sign | 0x433fffffffffffffu;
    default: return random;
  }
}

// The class of iteration i is i mod 8. r[0..3] are four generator words of 64 bits; the exponents stay away from
// overflow.
SENTINEL_CORE Fma64Operands fma64_operands(uint64_t seed, uint32_t lane, uint32_t iteration) {
  uint64_t r[4];
  for (uint32_t k = 0; k < 4; k++) r[k] = rand64(seed, lane, iteration * 4 + k);
  const uint64_t exponent_a = 1008 + (r[3] & 31);
  const uint64_t exponent_b = 1008 + (r[3] >> 5 & 31);
  const uint64_t exponent_product = exponent_a + exponent_b - 1023;
  const uint64_t a = pack64(r[0], exponent_a, r[0]);
  const uint64_t b = pack64(r[1], exponent_b, r[1]);
  switch (iteration & 7) {
    case 0:  // uniform bits
      return {r[0], r[1], r[2]};
    case 1:  // same binade: the addend meets the product without alignment
      return {a, b, pack64(r[2], exponent_product, r[2])};
    case 2:  // exact cancellation: what is left is the rounding error of the product, all of its low half
      return {a, b, multiply64(a, b) ^ kSign64};
    case 3: {  // long carries: significands of nearly all ones, an addend at the far end of the product
      const uint64_t ones_a = pack64(r[0], exponent_a, kFraction64 ^ (r[0] & r[3] >> 10 & 0xffu));
      const uint64_t ones_b = pack64(r[1], exponent_b, kFraction64 << (r[1] % 52));
      const uint64_t one_ulp = exponent_product - 52 + (r[3] >> 20 & 1);
      const uint64_t exponent_c = (r[3] >> 30 & 3) != 0 ? one_ulp : exponent_product;
      return {ones_a, ones_b, pack64(r[2], exponent_c, kFraction64 * (r[2] & 1))};
    }
    case 4: {  // alternating bits, in and out of phase, broken at one random place
      const uint64_t alternating = 0x5555555555555u;
      const uint64_t pattern_a = (alternating << (r[3] >> 10 & 1)) ^ (uint64_t{1} << (r[0] % 52));
      const uint64_t pattern_b =
          ((r[3] >> 11 & 1) != 0 ? 0x3333333333333u : alternating << (r[3] >> 12 & 1)) ^ (uint64_t{1} << (r[1] % 52));
      const uint64_t x = pack64(r[0], exponent_a, pattern_a);
      const uint64_t y = pack64(r[1], exponent_b, pattern_b);
      return {x, y,
              (r[3] >> 13 & 1) != 0 ? multiply64(x, y) ^ kSign64 : pack64(r[2], exponent_product, alternating << 1)};
    }
    case 5: {  // subnormals as a factor, as the addend, and as the result
      const uint64_t subnormal = kSign64 | kFraction64;
      const uint64_t large = pack64(r[1], 1023 + (r[3] & 31), r[1]);
      return (r[3] >> 10 & 1) != 0 ? Fma64Operands{r[0] & subnormal, large, r[2] & 0x801fffffffffffffu}
                                   : Fma64Operands{pack64(r[0], 500 + (r[3] & 31), r[0]),
                                                   pack64(r[1], 461 + (r[3] >> 5 & 31), r[1]), r[2] & subnormal};
    }
    case 6: {  // one bit set in one significand, and an alignment of the addend that sweeps from far below to far above
      const uint64_t one_hot = pack64(r[0], exponent_a, uint64_t{1} << (r[0] % 53));
      const uint64_t exponent_c = exponent_product - 56 + (iteration / 8 + lane * 7) % 112;
      return {one_hot, b, pack64(r[2], exponent_c, r[2])};
    }
    default:  // zeros, infinities, NaNs and the ends of the ranges
      return {special64(r[3], r[0]), special64(r[3] >> 4, r[1]), special64(r[3] >> 8, r[2])};
  }
}

// The binary64 whose conversion to an integer is defined alike everywhere: bits of a, exponent brought to 2^-34..2^29.
SENTINEL_CORE uint64_t integer_range64(uint64_t a) {
  return (a & (kSign64 | kFraction64)) | (989 + (a >> 52 & 63)) << 52;
}

// The binary64 around the small end of binary32: bits of b, exponent brought to 2^-152..2^-121.
SENTINEL_CORE uint64_t small_single_range(uint64_t b) {
  return (b & (kSign64 | kFraction64)) | (871 + (b >> 52 & 31)) << 52;
}

SENTINEL_CORE void store64(uint32_t* words, uint64_t value) {
  words[0] = static_cast<uint32_t>(value);
  words[1] = static_cast<uint32_t>(value >> 32);
}

SENTINEL_CORE void fma64_operand_words(Fma64Operands x, uint32_t* words) {
  store64(words, x.a);
  store64(words + 2, x.b);
  store64(words + 4, x.c);
}

SENTINEL_CORE void fma64_results(Fma64Operands x, uint32_t* results) {
  store64(results, fma64(x.a, x.b, x.c));
  store64(results + 2, add64(x.a, x.c));
  store64(results + 4, multiply64(x.a, x.b));
  results[6] = binary64_to_int32(integer_range64(x.a));
  store64(results + 7, binary64_from_int32(static_cast<uint32_t>(x.b)));
  results[9] = binary64_to_binary32(x.c);
  results[10] = binary64_to_binary32(small_single_range(x.b));
  store64(results + 11, binary64_from_binary32(static_cast<uint32_t>(x.c)));
}

}  // namespace sentinel
