// The elementary functions of a math library for one floating-point argument, exact to far more bits than a binary64 has.
#pragma once
#include "fixed.h"

namespace sentinel {

// (-1)^negative * magnitude * 2^exponent, magnitude in fixed point.
struct Real {
  bool negative;
  fixed_t magnitude;
  int exponent;
};

// x = integer + fraction, integer rounded downwards; |x| < 2^7.
struct Split {
  int integer;
  fixed_t fraction;
};

SENTINEL_CORE Split split(bool negative, fixed_t magnitude) {
  const int whole = static_cast<int>(magnitude >> kFixedBits);
  const fixed_t fraction = magnitude & (kFixedOne - 1);
  if (!negative) return {whole, fraction};
  return fraction == 0 ? Split{-whole, 0} : Split{-whole - 1, kFixedOne - fraction};
}

// The fixed-point value of a real with 2^-60 <= |x| < 2^7 that has at most 53 bits: exact.
SENTINEL_CORE fixed_t fixed_magnitude(const Real& x) {
  return x.exponent >= 0 ? x.magnitude << x.exponent : x.magnitude >> -x.exponent;
}

SENTINEL_CORE Real power_of_two(Split x) { return {false, exp_of(times(x.fraction, kFixedLn2)), x.integer}; }

SENTINEL_CORE Real real_exp2(const Real& x) { return power_of_two(split(x.negative, fixed_magnitude(x))); }

SENTINEL_CORE Real real_exp(const Real& x) {
  return power_of_two(split(x.negative, times(fixed_magnitude(x), kFixedLog2E)));
}

// exponent * unit + (-1)^negative * rest.
SENTINEL_CORE Real sum_of(int exponent, fixed_t unit, bool negative, fixed_t rest) {
  const fixed_t whole = static_cast<fixed_t>(exponent < 0 ? -exponent : exponent) * unit;
  const bool whole_negative = exponent < 0;
  if (whole_negative == negative) return {negative, whole + rest, 0};
  return whole >= rest ? Real{whole_negative, whole - rest, 0} : Real{negative, rest - whole, 0};
}

// x > 0 with a magnitude in [1, 2), brought to [sqrt(1/2), sqrt(2)] first.
SENTINEL_CORE Real centred(const Real& x) {
  return x.magnitude > kFixedSqrt2 ? Real{false, x.magnitude / 2, x.exponent + 1} : x;
}
SENTINEL_CORE Real real_log(const Real& x) {
  const Real c = centred(x);
  return sum_of(c.exponent, kFixedLn2, c.magnitude < kFixedOne, abs_ln_of(c.magnitude));
}
SENTINEL_CORE Real real_log2(const Real& x) {
  const Real c = centred(x);
  return sum_of(c.exponent, kFixedOne, c.magnitude < kFixedOne, times(abs_ln_of(c.magnitude), kFixedLog2E));
}

SENTINEL_CORE Real real_pow(const Real& x, const Real& y) {
  const Real logarithm = real_log2(x);
  return power_of_two(split(logarithm.negative != y.negative, times(logarithm.magnitude, fixed_magnitude(y))));
}

struct Circular {
  Real sine, cosine;
};

// By octants, so that the series see at most pi/4.
SENTINEL_CORE Circular real_circular(const Real& x) {
  const Split turns = split(false, times(fixed_magnitude(x), kFixedTwoOverPi));
  const bool mirrored = turns.fraction > kFixedOne / 2;
  const fixed_t angle = times(mirrored ? kFixedOne - turns.fraction : turns.fraction, kFixedHalfPi);
  const fixed_t sine = sin_of(angle), cosine = cos_of(angle);
  const fixed_t along = mirrored ? cosine : sine, across = mirrored ? sine : cosine;  // sin and cos in the first quadrant
  const uint32_t quadrant = static_cast<uint32_t>(turns.integer) & 3;
  const bool odd = (quadrant & 1) != 0;
  const bool sine_negative = (quadrant >= 2) != x.negative;
  const bool cosine_negative = quadrant == 1 || quadrant == 2;
  return {{sine_negative, odd ? across : along, 0}, {cosine_negative, odd ? along : across, 0}};
}

// Moves the highest set bit to that of 1. The magnitude must not be 0.
SENTINEL_CORE Real normalised_real(const Real& x) {
  const int shift = leading_zeros128(x.magnitude) - (127 - kFixedBits);
  const fixed_t magnitude = shift >= 0 ? x.magnitude << shift : x.magnitude >> -shift;
  return {x.negative, magnitude, x.exponent - shift};
}

SENTINEL_CORE Real quotient(const Real& a, const Real& b) {
  const Real divisor = normalised_real(b);
  return {a.negative != b.negative, times(a.magnitude, reciprocal(divisor.magnitude)), a.exponent - divisor.exponent};
}

// (1 - q) / (1 + q) with q = e^-2|x|.
SENTINEL_CORE Real real_tanh(const Real& x) {
  const Real power = real_exp({true, fixed_magnitude(x) * 2, 0});
  const fixed_t q = power.magnitude >> -power.exponent;
  return quotient({x.negative, kFixedOne - q, 0}, {false, kFixedOne + q, 0});
}

}  // namespace sentinel
