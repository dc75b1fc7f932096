// Family fma32: operands of eight classes, and the seven results of one (lane, iteration).
#pragma once
#include "convert32.h"
#include "random.h"

namespace sentinel {

struct Fma32Operands {
  uint32_t a, b, c;
};

SENTINEL_CORE uint32_t pack32(uint32_t sign_source, uint32_t biased_exponent, uint32_t fraction_source) {
  return (sign_source & kSign) | biased_exponent << 23 | (fraction_source & 0x7fffffu);
}

// Class 7 and the edges of the others: zeros, infinities, both kinds of NaN, the ends of the subnormal and normal
// ranges, 1, 2^24 - 1.
SENTINEL_CORE uint32_t special32(uint32_t selector, uint32_t random) {
  switch (selector & 15) {
    case 0: return 0x00000000u;
    case 1: return 0x80000000u;
    case 2: return 0x7f800000u;
    case 3: return 0xff800000u;
    case 4: return 0x7fc00000u | (random & 0x803fffffu);
    case 5: return 0x7f800001u | (random & 0x803fffffu);
    case 6: return (random & kSign) | 0x00000001u;
    case 7: return (random & kSign) | 0x007fffffu;
    case 8: return (random & kSign) | 0x00800000u;
    case 9: return (random & kSign) | 0x7f7fffffu;
    case 10: return (random & kSign) | 0x3f800000u;
    case 11: return (random & kSign) | 0x4b7fffffu;
    default: return random;
  }
}

// The class of iteration i is i mod 8. r[0..3] are four generator words; e gives the exponents, away from overflow.
SENTINEL_CORE Fma32Operands fma32_operands(uint64_t seed, uint32_t lane, uint32_t iteration) {
  uint32_t r[4];
  for (uint32_t k = 0; k < 4; k++) r[k] = rand32(seed, lane, iteration * 4 + k);
  const uint32_t exponent_a = 112 + (r[3] & 31);
  const uint32_t exponent_b = 112 + (r[3] >> 5 & 31);
  const uint32_t exponent_product = exponent_a + exponent_b - 127;
  const uint32_t a = pack32(r[0], exponent_a, r[0]);
  const uint32_t b = pack32(r[1], exponent_b, r[1]);
  switch (iteration & 7) {
    case 0:  // uniform bits
      return {r[0], r[1], r[2]};
    case 1:  // same binade: the addend meets the product without alignment
      return {a, b, pack32(r[2], exponent_product, r[2])};
    case 2:  // exact cancellation: what is left is the rounding error of the product, all of its low half
      return {a, b, multiply32(a, b) ^ kSign};
    case 3: {  // long carries: significands of nearly all ones, an addend at the far end of the product
      const uint32_t ones_a = pack32(r[0], exponent_a, 0x7fffffu ^ (r[0] & r[3] >> 10 & 0xffu));
      const uint32_t ones_b = pack32(r[1], exponent_b, 0x7fffffu << (r[1] % 23));
      const uint32_t one_ulp = exponent_product - 23 + (r[3] >> 20 & 1);
      return {ones_a, ones_b, pack32(r[2], (r[3] >> 30) != 0 ? one_ulp : exponent_product, 0x7fffffu * (r[2] & 1))};
    }
    case 4: {  // alternating bits, in and out of phase, broken at one random place
      const uint32_t pattern_a = (0x555555u << (r[3] >> 10 & 1)) ^ (1u << (r[0] % 23));
      const uint32_t pattern_b =
          ((r[3] >> 11 & 1) != 0 ? 0x333333u : 0x555555u << (r[3] >> 12 & 1)) ^ (1u << (r[1] % 23));
      const uint32_t x = pack32(r[0], exponent_a, pattern_a);
      const uint32_t y = pack32(r[1], exponent_b, pattern_b);
      return {x, y, (r[3] >> 13 & 1) != 0 ? multiply32(x, y) ^ kSign : pack32(r[2], exponent_product, 0x2aaaaau)};
    }
    case 5: {  // subnormals as a factor, as the addend, and as the result
      const uint32_t small = r[0] & 0x807fffffu;
      const uint32_t large = pack32(r[1], 127 + (r[3] & 31), r[1]);
      return (r[3] >> 10 & 1) != 0 ? Fma32Operands{small, large, r[2] & 0x80ffffffu}
                                   : Fma32Operands{pack32(r[0], 50 + (r[3] & 31), r[0]),
                                                   pack32(r[1], 32 + (r[3] >> 5 & 31), r[1]), r[2] & 0x807fffffu};
    }
    case 6: {  // one bit set in one significand, and an alignment of the addend that sweeps from far below to far above
      const uint32_t one_hot = pack32(r[0], exponent_a, 1u << (r[0] % 24));
      const uint32_t exponent_c = exponent_product - 27 + (iteration / 8 + lane * 7) % 54;
      return {one_hot, b, pack32(r[2], exponent_c, r[2])};
    }
    default:  // zeros, infinities, NaNs and the ends of the ranges
      return {special32(r[3], r[0]), special32(r[3] >> 4, r[1]), special32(r[3] >> 8, r[2])};
  }
}

// The float whose conversion to an integer is defined alike everywhere: bits of a, exponent brought to 2^-33..2^30.
SENTINEL_CORE uint32_t integer_range(uint32_t a) { return (a & 0x807fffffu) | (94 + (a >> 23 & 63)) << 23; }

SENTINEL_CORE void fma32_results(Fma32Operands x, uint32_t* results) {
  results[0] = fma32(x.a, x.b, x.c);
  results[1] = add32(x.a, x.c);
  results[2] = multiply32(x.a, x.b);
  results[3] = to_int32(integer_range(x.a));
  results[4] = from_int32(x.b);
  results[5] = to_binary16(x.c);
  results[6] = from_binary16(x.c & 0xffffu);
}

}  // namespace sentinel
