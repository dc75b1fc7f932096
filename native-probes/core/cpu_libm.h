// Family cpu_libm: functions of the machine's math library whose results are rounded to fewer bits than the library's
// error can reach, and the correctly rounded square roots and quotients of IEEE 754.
#pragma once
#include "elementary.h"
#include "fma32.h"
#include "fma64.h"
#include "roots.h"

namespace sentinel {

enum class Function : uint32_t { kExp, kExp2, kLog, kLog2, kSin, kCos, kTan, kTanh, kPow };
constexpr uint32_t kFunctions = 9;

// The low bits of a result that are rounded away. The largest known errors of glibc and musl for these functions are
// below 3 ulp, that of tanh (P. Zimmermann, Accuracy of Mathematical Functions, HAL hal-03141101).
constexpr uint32_t kShortened = 6;
constexpr uint32_t kAllowedUlp = 4;

// An argument is used only if every result within the allowed error is shortened to the same value. So many are tried;
// after them comes one whose result is exact.
constexpr uint32_t kMostTries = 8;

// Operand words: of each function one binary64 (two words) and one binary32, of pow two each; then the operands of
// square root and division.
constexpr uint32_t kArguments = kFunctions + 1;
constexpr uint32_t kDoubleArguments = 0;
constexpr uint32_t kSingleArguments = 2 * kArguments;
constexpr uint32_t kDoubleDividends = 3 * kArguments;
constexpr uint32_t kSingleDividends = kDoubleDividends + 4;
constexpr uint32_t kLibmOperands = kSingleDividends + 2;

// Result words: of each function one binary64 and one binary32; then root and quotient.
constexpr uint32_t kDoubleResults = 0;
constexpr uint32_t kSingleResults = 2 * kFunctions;
constexpr uint32_t kDoubleRoots = 3 * kFunctions;
constexpr uint32_t kSingleRoots = kDoubleRoots + 4;
constexpr uint32_t kLibmResults = kSingleRoots + 2;
static_assert(kLibmOperands == kCpuLibmShape.operand_words && kLibmResults == kCpuLibmShape.result_words, "the shape");

// A binary32 or binary64 by its fraction bits and bias; bits in 64.
struct Precision {
  int fraction_bits, bias;
};
constexpr Precision kSingle = {23, 127};
constexpr Precision kDouble = {52, 1023};

SENTINEL_CORE uint64_t sign_of_precision(Precision p) { return p.fraction_bits == kDouble.fraction_bits ? kSign64 : kSign; }

// Of a normal number.
SENTINEL_CORE Real real_of(Precision p, uint64_t bits) {
  const uint64_t fraction = bits & ((uint64_t{1} << p.fraction_bits) - 1);
  const uint64_t magnitude = bits & (sign_of_precision(p) - 1);
  const fixed_t significand = kFixedOne | static_cast<fixed_t>(fraction) << (kFixedBits - p.fraction_bits);
  if (magnitude == 0) return {false, 0, 0};
  return {magnitude != bits, significand, static_cast<int>(magnitude >> p.fraction_bits) - p.bias};
}

// The bits of x cut off after the precision's last one. 0 stays 0.
SENTINEL_CORE uint64_t truncated(Precision p, const Real& x) {
  if (x.magnitude == 0) return 0;
  const Real n = normalised_real(x);
  const uint64_t fraction = static_cast<uint64_t>(n.magnitude >> (kFixedBits - p.fraction_bits)) &
                            ((uint64_t{1} << p.fraction_bits) - 1);
  const uint64_t field = static_cast<uint64_t>(n.exponent + p.bias);
  return (x.negative ? sign_of_precision(p) : 0) | field << p.fraction_bits | fraction;
}

SENTINEL_CORE uint64_t shortened(uint64_t bits) {
  constexpr uint64_t kLow = (uint64_t{1} << kShortened) - 1;
  return (bits + (kLow + 1) / 2) & ~kLow;
}

// Whether everything within kAllowedUlp of a value that is cut off to these bits is shortened alike.
SENTINEL_CORE bool is_safe(uint64_t bits) {
  constexpr uint64_t kHalf = uint64_t{1} << (kShortened - 1);
  const uint64_t low = bits & (2 * kHalf - 1);
  return low + kAllowedUlp < kHalf || low >= kHalf + kAllowedUlp;
}

// Close to a root a result is exact to fewer bits, and close to a pole a tangent is.
SENTINEL_CORE bool is_large_enough(const Real& x) { return x.magnitude >> (kFixedBits - 40) != 0; }

struct Evaluation {
  Real value;
  bool usable;
};

SENTINEL_CORE Evaluation if_large_enough(const Real& x) { return {x, is_large_enough(x)}; }

SENTINEL_CORE Evaluation evaluate_tangent(const Circular& x) {
  if (!is_large_enough(x.sine) || !is_large_enough(x.cosine)) return {x.sine, false};
  return {quotient(x.sine, x.cosine), true};
}

SENTINEL_CORE Evaluation evaluate(Function function, const Real& x, const Real& y) {
  switch (function) {
    case Function::kExp: return {real_exp(x), true};
    case Function::kExp2: return {real_exp2(x), true};
    case Function::kLog: return if_large_enough(real_log(x));
    case Function::kLog2: return if_large_enough(real_log2(x));
    case Function::kSin: return if_large_enough(real_circular(x).sine);
    case Function::kCos: return if_large_enough(real_circular(x).cosine);
    case Function::kTan: return evaluate_tangent(real_circular(x));
    case Function::kTanh: return {real_tanh(x), true};
    default: return {real_pow(x, y), true};
  }
}

// Exponents of arguments: least .. least + span, span + 1 a power of two.
struct ArgumentRange {
  int least;
  uint32_t span;
  bool has_sign;
};

SENTINEL_CORE ArgumentRange argument_range(Function function) {
  switch (function) {
    case Function::kLog:
    case Function::kLog2: return {-32, 63, false};
    case Function::kTanh: return {-4, 7, true};
    case Function::kPow: return {-4, 7, false};
    default: return {-2, 7, true};
  }
}
constexpr ArgumentRange kPowExponents = {-4, 7, true};

SENTINEL_CORE uint64_t argument_of(Precision p, ArgumentRange range, uint64_t random) {
  const uint64_t fraction = random & ((uint64_t{1} << p.fraction_bits) - 1);
  const uint64_t exponent = static_cast<uint64_t>(range.least + p.bias) + (random >> 52 & range.span);
  const uint64_t sign = range.has_sign && random >> 63 != 0 ? sign_of_precision(p) : 0;
  return sign | exponent << p.fraction_bits | fraction;
}

// Where all tries fail: 1 for logarithms and powers, 0 for the others. Results are 0 or 1.
SENTINEL_CORE uint64_t exact_argument(Precision p, Function function) {
  const bool one = function == Function::kLog || function == Function::kLog2 || function == Function::kPow;
  return one ? static_cast<uint64_t>(p.bias) << p.fraction_bits : 0;
}

struct LibmVector {
  uint64_t x, y;  // y: of pow
  uint64_t result;
};

// slot: 0..17, of the function and the precision.
SENTINEL_CORE LibmVector libm_vector(Precision p, Function function, uint64_t seed, uint32_t lane, uint32_t slot) {
  for (uint32_t k = 0; k < kMostTries; k++) {
    const uint32_t word = (slot * kMostTries + k) * 2;
    const uint64_t x = argument_of(p, argument_range(function), rand64(seed, lane, word));
    const uint64_t y = function == Function::kPow ? argument_of(p, kPowExponents, rand64(seed, lane, word + 1)) : 0;
    const Evaluation out = evaluate(function, real_of(p, x), real_of(p, y));
    if (!out.usable) continue;
    const uint64_t bits = truncated(p, out.value);
    if (is_safe(bits)) return {x, y, shortened(bits)};
  }
  const uint64_t x = exact_argument(p, function);
  const uint64_t y = exact_argument(p, Function::kPow);
  return {x, y, shortened(truncated(p, evaluate(function, real_of(p, x), real_of(p, y)).value))};
}

// Operands of root and division by the iteration modulo 4: uniform bits, moderate exponents, subnormals, special values.
SENTINEL_CORE uint64_t dividend64(uint32_t iteration, uint64_t random, uint64_t selector) {
  switch (iteration & 3) {
    case 0: return random;
    case 1: return pack64(random, 1008 + (selector & 31), random);
    case 2: return (selector & 1) != 0 ? random & (kSign64 | kFraction64) : pack64(random, selector >> 1 & 31, random);
    default: return special64(selector, random);
  }
}
SENTINEL_CORE uint32_t dividend32(uint32_t iteration, uint32_t random, uint32_t selector) {
  switch (iteration & 3) {
    case 0: return random;
    case 1: return pack32(random, 112 + (selector & 31), random);
    case 2: return (selector & 1) != 0 ? random & 0x807fffffu : pack32(random, selector >> 1 & 31, random);
    default: return special32(selector, random);
  }
}

SENTINEL_CORE void libm_functions(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* operands,
                                  uint32_t* results) {
  for (uint32_t f = 0; f < kFunctions; f++) {
    const uint32_t slot = (iteration * kFunctions + f) * 2;
    const LibmVector wide = libm_vector(kDouble, static_cast<Function>(f), seed, lane, slot);
    const LibmVector narrow = libm_vector(kSingle, static_cast<Function>(f), seed, lane, slot + 1);
    store64(operands + kDoubleArguments + 2 * f, wide.x);
    operands[kSingleArguments + f] = static_cast<uint32_t>(narrow.x);
    store64(operands + kDoubleArguments + 2 * kFunctions, wide.y);  // of pow, which is the last one
    operands[kSingleArguments + kFunctions] = static_cast<uint32_t>(narrow.y);
    store64(results + kDoubleResults + 2 * f, wide.result);
    results[kSingleResults + f] = static_cast<uint32_t>(narrow.result);
  }
}

// Operands and results of (lane, iteration).
SENTINEL_CORE void cpu_libm_vector(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* operands,
                                   uint32_t* results) {
  libm_functions(seed, lane, iteration, operands, results);
  const uint32_t first = 0x10000 + iteration * 4;
  const uint64_t r[3] = {rand64(seed, lane, first), rand64(seed, lane, first + 1), rand64(seed, lane, first + 2)};
  const uint64_t a = dividend64(iteration, r[0], r[2]), b = dividend64(iteration, r[1], r[2] >> 8);
  const uint32_t c = dividend32(iteration, static_cast<uint32_t>(r[0] >> 16), static_cast<uint32_t>(r[2] >> 16));
  const uint32_t d = dividend32(iteration, static_cast<uint32_t>(r[1] >> 16), static_cast<uint32_t>(r[2] >> 24));
  store64(operands + kDoubleDividends, a);
  store64(operands + kDoubleDividends + 2, b);
  operands[kSingleDividends] = c;
  operands[kSingleDividends + 1] = d;
  store64(results + kDoubleRoots, square_root64(a));
  store64(results + kDoubleRoots + 2, divide64(a, b));
  results[kSingleRoots] = square_root32(c);
  results[kSingleRoots + 1] = divide32(c, d);
}

}  // namespace sentinel
