// What fma16 and bf16 share: the eight operand classes of fma32 for formats of 16 bits, two independent halves to a word.
#pragma once
#include "float32.h"
#include "random.h"

namespace sentinel {

// A format and the biased exponents that keep the classes away from overflow. The last two make products that lie around
// the least subnormal.
struct HalfClasses {
  BinaryFormat format;
  uint32_t bias;
  uint32_t least, span;  // of a factor: least .. least + span, span + 1 a power of two
  uint32_t tiny_a, tiny_b;
};

struct HalfOperands {
  uint32_t a, b, c;
};

SENTINEL_CORE uint32_t fraction_mask(BinaryFormat format) { return (1u << format.fraction_bits) - 1; }

SENTINEL_CORE uint32_t pack_half(BinaryFormat format, uint32_t sign_source, uint32_t biased_exponent,
                                 uint32_t fraction_source) {
  return (sign_source & sign_bit(format)) | biased_exponent << format.fraction_bits |
         (fraction_source & fraction_mask(format));
}

// Class 7: zeros, infinities, both kinds of NaN, the ends of the subnormal and normal ranges, 1, the largest odd integer.
SENTINEL_CORE uint32_t special_half(const HalfClasses& classes, uint32_t selector, uint32_t random) {
  const BinaryFormat format = classes.format;
  const uint32_t sign = random & sign_bit(format);
  const uint32_t fraction = fraction_mask(format);
  const uint32_t quiet = 1u << (format.fraction_bits - 1);
  const uint32_t payload = random & (sign_bit(format) | (quiet - 1));
  switch (selector & 15) {
    case 0: return 0;
    case 1: return sign_bit(format);
    case 2: return format.infinity;
    case 3: return sign_bit(format) | format.infinity;
    case 4: return format.infinity | quiet | payload;
    case 5: return format.infinity | 1u | payload;
    case 6: return sign | 1u;
    case 7: return sign | fraction;
    case 8: return sign | (fraction + 1);
    case 9: return sign | (format.infinity - 1);
    case 10: return pack_half(format, random, classes.bias, 0);
    case 11: return pack_half(format, random, classes.bias + static_cast<uint32_t>(format.fraction_bits), fraction);
    default: return random;
  }
}

// The class of half h in iteration i is (i + 5 h) mod 8. r[0..2] are 16 generator bits each, r[3] has 32.
SENTINEL_CORE HalfOperands half_operands(const HalfClasses& classes, uint64_t seed, uint32_t lane, uint32_t iteration,
                                         uint32_t h) {
  const BinaryFormat format = classes.format;
  const uint32_t fraction = fraction_mask(format), sign = sign_bit(format);
  const uint32_t bits = static_cast<uint32_t>(format.fraction_bits);
  const uint64_t random = rand64(seed, lane, iteration * 4 + h * 2);
  const uint32_t r[4] = {static_cast<uint32_t>(random) & 0xffffu, static_cast<uint32_t>(random >> 16) & 0xffffu,
                         static_cast<uint32_t>(random >> 32) & 0xffffu, rand32(seed, lane, iteration * 4 + h * 2 + 1)};
  const uint32_t exponent_a = classes.least + (r[3] & classes.span);
  const uint32_t exponent_b = classes.least + (r[3] >> 5 & classes.span);
  const uint32_t exponent_product = exponent_a + exponent_b - classes.bias;
  const uint32_t opposite = 2 * classes.bias - exponent_a;  // a factor that brings the product to the binade of 1
  const uint32_t a = pack_half(format, r[0], exponent_a, r[0]);
  const uint32_t b = pack_half(format, r[1], exponent_b, r[1]);
  switch ((iteration + 5 * h) & 7) {
    case 0:  // uniform bits
      return {r[0], r[1], r[2]};
    case 1:  // same binade: the addend meets the product without alignment
      return {a, b, pack_half(format, r[2], exponent_product, r[2])};
    case 2:  // exact cancellation: what is left is the rounding error of the product, all of its low half
      return {a, b, multiply(format, a, b) ^ sign};
    case 3: {  // long carries: significands of nearly all ones, an addend at the far end of the product
      const uint32_t ones_a = pack_half(format, r[0], exponent_a, fraction ^ (r[0] & r[3] >> 10 & 7u));
      const uint32_t ones_b = pack_half(format, r[1], opposite, fraction << (r[1] % bits));
      const uint32_t one_ulp = classes.bias - bits + (r[3] >> 20 & 1);
      const uint32_t exponent_c = r[3] >> 30 != 0 ? one_ulp : classes.bias;
      return {ones_a, ones_b, pack_half(format, r[2], exponent_c, fraction * (r[2] & 1))};
    }
    case 4: {  // alternating bits, in and out of phase, broken at one random place
      const uint32_t pattern_a = (0x5555u << (r[3] >> 10 & 1)) ^ (1u << (r[0] % bits));
      const uint32_t pattern_b = ((r[3] >> 11 & 1) != 0 ? 0x3333u : 0x5555u << (r[3] >> 12 & 1)) ^ (1u << (r[1] % bits));
      const uint32_t x = pack_half(format, r[0], exponent_a, pattern_a);
      const uint32_t y = pack_half(format, r[1], exponent_b, pattern_b);
      const bool cancels = (r[3] >> 13 & 1) != 0;
      return {x, y, cancels ? multiply(format, x, y) ^ sign : pack_half(format, r[2], exponent_product, 0xaaaau)};
    }
    case 5: {  // subnormals as a factor, as the addend, and as the result
      const uint32_t subnormal = sign | fraction;
      const uint32_t large = pack_half(format, r[1], classes.bias + (r[3] & classes.span), r[1]);
      if ((r[3] >> 10 & 1) != 0) return {r[0] & subnormal, large, r[2] & (subnormal | (fraction + 1))};
      return {pack_half(format, r[0], classes.tiny_a + (r[3] & 7), r[0]),
              pack_half(format, r[1], classes.tiny_b + (r[3] >> 5 & 7), r[1]), r[2] & subnormal};
    }
    case 6: {  // one bit set in one significand, and an alignment of the addend that sweeps from far below to far above
      const uint32_t one_hot = pack_half(format, r[0], exponent_a, 1u << (r[0] % (bits + 1)));
      const uint32_t reach = bits + 4;
      const uint32_t exponent_c = classes.bias - reach + (iteration / 8 + lane * 7) % (2 * reach);
      return {one_hot, pack_half(format, r[1], opposite, r[1]), pack_half(format, r[2], exponent_c, r[2])};
    }
    default:  // zeros, infinities, NaNs and the ends of the ranges
      return {special_half(classes, r[3], r[0]), special_half(classes, r[3] >> 4, r[1]),
              special_half(classes, r[3] >> 8, r[2])};
  }
}

// The operand words of (lane, iteration): half 0 in the low 16 bits, half 1 in the high ones.
SENTINEL_CORE HalfOperands packed_operands(const HalfClasses& classes, uint64_t seed, uint32_t lane,
                                           uint32_t iteration) {
  const HalfOperands low = half_operands(classes, seed, lane, iteration, 0);
  const HalfOperands high = half_operands(classes, seed, lane, iteration, 1);
  return {low.a | high.a << 16, low.b | high.b << 16, low.c | high.c << 16};
}

// Three result words, half by half: a * b + c rounded once, a + c, a * b.
SENTINEL_CORE void packed_results(BinaryFormat format, HalfOperands x, uint32_t* results) {
  results[0] = results[1] = results[2] = 0;
  for (uint32_t shift = 0; shift < 32; shift += 16) {
    const uint32_t a = x.a >> shift & 0xffffu, b = x.b >> shift & 0xffffu, c = x.c >> shift & 0xffffu;
    results[0] |= fused_multiply_add(format, a, b, c) << shift;
    results[1] |= add(format, a, c) << shift;
    results[2] |= multiply(format, a, b) << shift;
  }
}

// Every NaN of either half as 0x7fff.
SENTINEL_CORE uint32_t canonical_halves(BinaryFormat format, uint32_t word) {
  return canonical_in(format, word & 0xffffu) | canonical_in(format, word >> 16) << 16;
}

}  // namespace sentinel
