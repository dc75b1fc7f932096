#include "sfu_bounds.h"

#include <math.h>
#include <string.h>

namespace sentinel {
namespace {

// "Parallel Thread Execution ISA" 9.1, NVIDIA, sections 9.7.3.13 to 9.7.3.22: greatest errors of the .approx.f32
// instructions without .ftz on sm_75 and later. Where earlier editions say more, that is taken; what is said in units in
// the last place is taken from the correctly rounded result, which itself may be half of one off.
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
    {0, 1.4142136 * 0x1p-21},  // sin: 2^-20.5 in [-2 pi, 2 pi]
    {0, 1.4142136 * 0x1p-21},  // cos: as sin
    {0x1p-11, 0},              // tanh: 2^-11
};
constexpr double kTwoPi = 6.283185307179586;
constexpr double kFarAngle = 100 * 3.141592653589793;  // sin, cos: up to here 2^-14.7, beyond "best effort"
constexpr double kFarAngleError = 1.2311444 * 0x1p-15;
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

bool within_angle(double x, double exact, double result) {
  if (fabs(x) > kFarAngle) return true;
  return fabs(result - exact) <= (fabs(x) > kTwoPi ? kFarAngleError : kBounds[kSfuSin].absolute);
}

bool within(SfuFunction function, double x, double result) {
  const double exact = reference(function, x);
  if (isnan(exact)) return isnan(result) || within_as_zero(function, x, result);
  if (isinf(exact)) return result == exact;
  if (function == kSfuSin || function == kSfuCos) return within_angle(x, exact, result);
  const double error = kBounds[function].relative * fabs(exact) + kBounds[function].absolute + kSubnormalError;
  if (fabs(exact) + error > kGreatest && isinf(result)) return (result > 0) == (exact > 0);
  return fabs(result - exact) <= error;
}

}  // namespace

uint32_t sfu_violations(uint64_t seed, uint32_t group, uint32_t block, const uint32_t* results, SfuViolation& first) {
  uint32_t violations = 0;
  for (uint32_t k = 0; k < kGpuBlock * 32; k++) {
    const uint32_t iteration = block * kGpuBlock + k / 32, lane = group * 32 + k % 32;
    const SfuOperands operands = sfu_operands(seed, lane, iteration);
    for (uint32_t w = 0; w < kSfuResultWords; w++) {
      const auto function = static_cast<SfuFunction>(w);
      const uint32_t operand = operand_of(function, operands);
      const uint32_t result = results[(k / 32 * kSfuResultWords + w) * 32 + k % 32];
      if (within(function, as_float(operand), as_float(result)) || violations++ > 0) continue;
      first = {lane, iteration, function, operand, result};
    }
  }
  return violations;
}

}  // namespace sentinel
