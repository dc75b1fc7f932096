#include "sfu_bounds.h"

#include <math.h>
#include <string.h>

namespace sentinel {
namespace {

// "Parallel Thread Execution ISA" 9.1, NVIDIA, sections 9.7.3.13 to 9.7.3.22: greatest errors of the .approx.f32
// instructions without .ftz on sm_75 and later. Where earlier editions say more, that is taken; what is said in units in
// the last place is taken from the correctly rounded result, which itself may be half of one off. Exponents with a decimal
// are rounded ones: where 2^-20.5 is documented, an H200 is 2^-20.4498 off at cos(0xc098e287) (docs/measurements). A whole
// unit of that decimal is added.
struct Bound {
  double relative, absolute;
};
constexpr double kUlp = 0x1p-23;  // of 1, the greatest that a unit in the last place is of a normal number
constexpr Bound kBounds[kSfuResultWords] = {
    {2.5 * kUlp, 0},           // ex2: 2 units
    {0x1p-22, 0x1p-22},        // lg2: 2^-22, absolute between 0.5 and 2, relative elsewhere
    {1.5 * kUlp, 0},           // rcp: 1 unit
    {1.5157166 * kUlp, 0},     // rsqrt: 2^-22.9, once 2^-22.4
    {0x1p-23, 0},              // sqrt: 2^-23
    {0, 1.5157166 * 0x1p-21},  // sin: 2^-20.5 in [-2 pi, 2 pi], and a decimal
    {0, 1.5157166 * 0x1p-21},  // cos: as sin
    {0x1p-11, 0},              // tanh: 2^-11
};
constexpr double kTwoPi = 6.283185307179586;
constexpr double kFarAngle = 100 * 3.141592653589793;  // sin, cos: up to here 2^-14.7; beyond, "best effort"
constexpr double kFarAngleError = 1.3195079 * 0x1p-15;                // 2^-14.7, and a decimal
constexpr double kGreatest = 0x1.fffffep127;
constexpr double kLeastNormal = 0x1p-126;
// Below the normal range a unit in the last place is more than a relative error says; no function is further off than ex2.
constexpr double kSubnormalError = 2.5 * 0x1p-149;

float as_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

double reference(SfuFunction function, double x) {
  switch (function) {
    case kSfuEx2: return exp2(x);
    case kSfuLg2: return log2(x);
    case kSfuRcp: return 1 / x;
    case kSfuRsqrt: return 1 / sqrt(x);
    case kSfuSqrt: return sqrt(x);
    case kSfuSin: return sin(x);
    case kSfuCos: return cos(x);
    case kSfuTanh: return tanh(x);
  }
  return NAN;
}

uint32_t operand_of(SfuFunction function, const SfuOperands& x) {
  switch (function) {
    case kSfuEx2: return x.exponent;
    case kSfuSin:
    case kSfuCos: return x.angle;
    case kSfuTanh: return x.middling;
    default: return x.positive;
  }
}

// The tables of special cases leave out negative subnormal operands, whose logarithms and roots are NaN: what is
// documented of -0 is accepted too.
bool within_as_zero(SfuFunction function, double x, double result) {
  const bool is_negative_subnormal = x < 0 && x > -kLeastNormal;
  return is_negative_subnormal && result == reference(function, -0.0);
}

double bound_of(SfuFunction function, double x, double exact) {
  if (function != kSfuSin && function != kSfuCos)
    return kBounds[function].relative * fabs(exact) + kBounds[function].absolute + kSubnormalError;
  if (fabs(x) > kFarAngle) return INFINITY;
  return fabs(x) > kTwoPi ? kFarAngleError : kBounds[function].absolute;
}

// The error as a share of the documented one; infinite where a special value is due and another came.
double share_of_bound(SfuFunction function, double x, double result) {
  const double exact = reference(function, x);
  const auto all_or_nothing = [](bool right) { return right ? 0 : INFINITY; };
  if (isnan(exact)) return all_or_nothing(isnan(result) || within_as_zero(function, x, result));
  if (isinf(exact)) return all_or_nothing(result == exact);
  const double bound = bound_of(function, x, exact);
  if (isinf(bound)) return 0;
  if (fabs(exact) + bound > kGreatest && isinf(result)) return all_or_nothing((result > 0) == (exact > 0));
  return isnan(result) ? INFINITY : fabs(result - exact) / bound;
}

}  // namespace

SfuErrors sfu_errors(uint64_t seed, uint32_t group, uint32_t block, const uint32_t* results) {
  SfuErrors out;
  for (uint32_t k = 0; k < kGpuBlock * 32; k++) {
    const uint32_t iteration = block * kGpuBlock + k / 32, lane = group * 32 + k % 32;
    const SfuOperands operands = sfu_operands(seed, lane, iteration);
    for (uint32_t w = 0; w < kSfuResultWords; w++) {
      const auto function = static_cast<SfuFunction>(w);
      const uint32_t operand = operand_of(function, operands);
      const uint32_t result = results[(k / 32 * kSfuResultWords + w) * 32 + k % 32];
      const double share = share_of_bound(function, as_float(operand), as_float(result));
      out.greatest[w] = fmax(out.greatest[w], share);
      if (share <= 1 || out.violations++ > 0) continue;
      out.first = {lane, iteration, function, operand, result};
    }
  }
  return out;
}

}  // namespace sentinel
