// Unsigned fixed point with 120 fraction bits, and the elementary functions in it. Arguments are exact; results are within
// 2^-110 of the mathematical value. No instruction and no table of a math library is used.
#pragma once
#include "platform.h"

namespace sentinel {

using fixed_t = uint128_t;

constexpr int kFixedBits = 120;

constexpr fixed_t fixed_of(uint64_t high, uint64_t low) { return static_cast<fixed_t>(high) << 64 | low; }

constexpr fixed_t kFixedOne = static_cast<fixed_t>(1) << kFixedBits;
constexpr fixed_t kFixedLn2 = fixed_of(0x00b17217f7d1cf79u, 0xabc9e3b39803f2f6u);
constexpr fixed_t kFixedLog2E = fixed_of(0x0171547652b82fe1u, 0x777d0ffda0d23a7du);
constexpr fixed_t kFixedHalfPi = fixed_of(0x01921fb54442d184u, 0x69898cc51701b839u);
constexpr fixed_t kFixedTwoOverPi = fixed_of(0x00a2f9836e4e4415u, 0x29fc2757d1f534ddu);
constexpr fixed_t kFixedSqrt2 = fixed_of(0x016a09e667f3bcc9u, 0x08b2fb1366ea957du);

// Enough that what is left out of a series is below 2^-120: of exp up to 1, of sin and cos up to pi/4, of atanh up to
// (sqrt(2) - 1) / (sqrt(2) + 1).
constexpr uint32_t kExpTerms = 35;
constexpr uint32_t kCircularTerms = 15;
constexpr uint32_t kAtanhTerms = 25;

struct FixedTable {
  fixed_t values[40];
};

// Evaluated by the compiler: at run time such a division would call a library.
constexpr FixedTable reciprocals_of_factorials() {
  FixedTable table{};
  table.values[0] = kFixedOne;
  for (uint32_t n = 1; n < 40; n++) table.values[n] = table.values[n - 1] / n;
  return table;
}
constexpr FixedTable reciprocals_of_odd_numbers() {
  FixedTable table{};
  for (uint32_t n = 0; n < 40; n++) table.values[n] = kFixedOne / (2 * n + 1);
  return table;
}
constexpr FixedTable kReciprocalFactorials = reciprocals_of_factorials();
constexpr FixedTable kReciprocalOdd = reciprocals_of_odd_numbers();

// a * b, which must be below 2^8.
SENTINEL_CORE fixed_t times(fixed_t a, fixed_t b) {
  const uint64_t a1 = static_cast<uint64_t>(a >> 64), a0 = static_cast<uint64_t>(a);
  const uint64_t b1 = static_cast<uint64_t>(b >> 64), b0 = static_cast<uint64_t>(b);
  const uint128_t low = static_cast<uint128_t>(a0) * b0;
  const uint128_t middle = static_cast<uint128_t>(a1) * b0, other = static_cast<uint128_t>(a0) * b1;
  const uint128_t carried = (low >> 64) + static_cast<uint64_t>(middle) + static_cast<uint64_t>(other);
  const uint128_t high = static_cast<uint128_t>(a1) * b1 + (middle >> 64) + (other >> 64) + (carried >> 64);
  return high << 8 | static_cast<uint64_t>(carried) >> 56;
}

// 1 / d for 1/2 < d < 2: 31 bits by an integer division, doubled three times by Newton's iteration.
SENTINEL_CORE fixed_t reciprocal(fixed_t d) {
  fixed_t r = static_cast<fixed_t>((uint64_t{1} << 62) / static_cast<uint64_t>(d >> 89)) << 89;
  for (uint32_t k = 0; k < 3; k++) r = times(r, 2 * kFixedOne - times(d, r));
  return r;
}

// e^t for 0 <= t < 1.
SENTINEL_CORE fixed_t exp_of(fixed_t t) {
  fixed_t sum = kReciprocalFactorials.values[kExpTerms];
  for (uint32_t n = kExpTerms; n-- > 0;) sum = kReciprocalFactorials.values[n] + times(sum, t);
  return sum;
}

// For 0 <= t <= pi/4.
SENTINEL_CORE fixed_t sin_of(fixed_t t) {
  const fixed_t square = times(t, t);
  fixed_t sum = kReciprocalFactorials.values[2 * kCircularTerms + 1];
  for (uint32_t n = kCircularTerms; n-- > 0;) sum = kReciprocalFactorials.values[2 * n + 1] - times(sum, square);
  return times(sum, t);
}
SENTINEL_CORE fixed_t cos_of(fixed_t t) {
  const fixed_t square = times(t, t);
  fixed_t sum = kReciprocalFactorials.values[2 * kCircularTerms + 2];
  for (uint32_t n = kCircularTerms + 1; n-- > 0;) sum = kReciprocalFactorials.values[2 * n] - times(sum, square);
  return sum;
}

// |ln(m)| for sqrt(1/2) <= m <= sqrt(2): twice atanh((m - 1) / (m + 1)).
SENTINEL_CORE fixed_t abs_ln_of(fixed_t m) {
  const fixed_t distance = m < kFixedOne ? kFixedOne - m : m - kFixedOne;
  const fixed_t z = times(distance, reciprocal((m + kFixedOne) / 2)) / 2;
  const fixed_t square = times(z, z);
  fixed_t sum = kReciprocalOdd.values[kAtanhTerms];
  for (uint32_t n = kAtanhTerms; n-- > 0;) sum = kReciprocalOdd.values[n] + times(sum, square);
  return 2 * times(z, sum);
}

}  // namespace sentinel
