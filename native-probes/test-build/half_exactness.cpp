// fma16 and bf16 against big integers: every value is a whole number of the smallest unit, added up and rounded once.
#include "../core/bf16.h"
#include "../core/fma16.h"
#include "big_integer.h"
#include "exactness.h"

namespace sentinel {
namespace {

constexpr uint32_t kLanesOfSeed = 64;
constexpr uint32_t kIterationsOfSeed = 512;

struct Signed {
  bool negative;
  BigInteger magnitude;
};

Signed operator+(const Signed& a, const Signed& b) {
  if (a.negative == b.negative) return {a.negative, a.magnitude + b.magnitude};
  if (a.magnitude < b.magnitude) return {b.negative, b.magnitude - a.magnitude};
  return {a.negative, a.magnitude - b.magnitude};
}

// A format, and units of 2^-unit in which all of its values and products are whole.
struct Exact {
  uint32_t exponent_bits, fraction_bits, unit;

  uint32_t top() const { return 1u << (exponent_bits + fraction_bits); }
  uint32_t infinity() const { return top() - (1u << fraction_bits); }
  uint32_t bias() const { return (1u << (exponent_bits - 1)) - 1; }
  bool is_nan(uint32_t x) const { return (x & (top() - 1)) > infinity(); }
  bool is_infinite(uint32_t x) const { return (x & (top() - 1)) == infinity(); }

  uint64_t integer(uint32_t x) const {
    const uint32_t fraction = x & ((1u << fraction_bits) - 1);
    return field(x) != 0 ? fraction + (1u << fraction_bits) : fraction;
  }
  uint32_t field(uint32_t x) const { return (x & infinity()) >> fraction_bits; }
  // Of the last place, above that of the least subnormal.
  uint32_t places(uint32_t x) const { return field(x) != 0 ? field(x) - 1 : 0; }
  // Below 1, of the least subnormal.
  uint32_t least() const { return bias() - 1 + fraction_bits; }

  Signed value(uint32_t x) const { return {(x & top()) != 0, BigInteger(integer(x), places(x) + unit - least())}; }
  Signed product(uint32_t x, uint32_t y) const {
    const uint32_t shift = places(x) + places(y) + unit - 2 * least();
    return {((x ^ y) & top()) != 0, BigInteger(integer(x) * integer(y), shift)};
  }

  uint32_t round(const Signed& x) const {
    const uint32_t sign = x.negative ? top() : 0;
    const uint32_t length = x.magnitude.length();
    const uint32_t subnormal = unit - least();
    const uint32_t shift = length > subnormal + fraction_bits + 1 ? length - fraction_bits - 1 : subnormal;
    const uint64_t bits = (static_cast<uint64_t>(shift - subnormal) << fraction_bits) + x.magnitude.rounded(shift);
    return sign | static_cast<uint32_t>(bits < infinity() ? bits : infinity());
  }
  uint32_t nan() const { return top() - 1; }

  // What follows from the operands alone where one of them is no number.
  uint32_t fma(uint32_t a, uint32_t b, uint32_t c) const {
    if (is_nan(a) || is_nan(b) || is_nan(c)) return nan();
    const uint32_t sign = (a ^ b) & top();
    if (is_infinite(a) || is_infinite(b)) {
      const bool of_zero = integer(a) == 0 || integer(b) == 0;
      return of_zero || (is_infinite(c) && (c & top()) != sign) ? nan() : sign | infinity();
    }
    if (is_infinite(c)) return c;
    const Signed p = product(a, b), addend = value(c);
    const Signed sum = p + addend;
    const bool both_negative = p.negative && addend.negative;
    return sum.magnitude.length() == 0 ? (both_negative ? top() : 0) : round(sum);
  }
};

constexpr Exact kExact16 = {5, 10, 48};
constexpr Exact kExactBfloat16 = {8, 7, 266};
constexpr Exact kExact32 = {8, 23, 266};

// Addition and multiplication as fma with 1 and -0.
void exact_results(const Exact& exact, HalfOperands x, uint32_t* results) {
  const uint32_t one = exact.bias() << exact.fraction_bits;
  for (uint32_t w = 0; w < 3; w++) results[w] = 0;
  for (uint32_t shift = 0; shift < 32; shift += 16) {
    const uint32_t a = x.a >> shift & 0xffffu, b = x.b >> shift & 0xffffu, c = x.c >> shift & 0xffffu;
    results[0] |= exact.fma(a, b, c) << shift;
    results[1] |= exact.fma(a, one, c) << shift;
    results[2] |= exact.fma(a, b, exact.top()) << shift;
  }
}

uint32_t exact_bfloat16(uint32_t x) {
  const uint32_t sign = (x & kExact32.top()) != 0 ? kExactBfloat16.top() : 0;
  if (kExact32.is_nan(x)) return kExactBfloat16.nan();
  return kExact32.is_infinite(x) ? sign | kExactBfloat16.infinity() : kExactBfloat16.round(kExact32.value(x));
}

void compare(HalfOperands x, const uint32_t* software, const uint32_t* exact, uint32_t words, ExactnessReport& report) {
  for (uint32_t w = 0; w < words; w++) {
    if (software[w] == exact[w] || report.mismatches++ > 0) continue;
    report.word = w;
    report.operand_words = 3;
    report.operands[0] = x.a;
    report.operands[1] = x.b;
    report.operands[2] = x.c;
    report.software = software[w];
    report.hardware = exact[w];
  }
}

void check_one(Family family, uint64_t seed, uint32_t lane, uint32_t iteration, ExactnessReport& report) {
  uint32_t software[kBf16Results], exact[kBf16Results];
  if (family == Family::kFma16) {
    const HalfOperands x = fma16_operands(seed, lane, iteration);
    fma16_results(x, software);
    exact_results(kExact16, x, exact);
    return compare(x, software, exact, kFma16Results, report);
  }
  const HalfOperands x = bf16_operands(seed, lane, iteration);
  bf16_results(x, software);
  exact_results(kExactBfloat16, x, exact);
  exact[3] = exact_bfloat16(x.a) | exact_bfloat16(x.b) << 16;
  compare(x, software, exact, kBf16Results, report);
}

}  // namespace

ExactnessReport check_half_exactness(Family family, uint64_t vectors, uint32_t epoch) {
  ExactnessReport report{};
  for (uint32_t index = 0; report.vectors < vectors; index++) {
    const uint64_t seed = seed_of(family, epoch, index);
    for (uint32_t k = 0; k < kLanesOfSeed * kIterationsOfSeed && report.vectors < vectors; k++, report.vectors++) {
      check_one(family, seed, k / kIterationsOfSeed, k % kIterationsOfSeed, report);
    }
  }
  return report;
}

}  // namespace sentinel
