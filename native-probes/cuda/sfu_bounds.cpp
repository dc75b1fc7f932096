#include "sfu_bounds.h"

#include <math.h>
#include <string.h>

namespace sentinel {
namespace {

// The sections on the .approx.f32 instructions in "Parallel Thread Execution ISA", NVIDIA; where editions differ, the
// greater error. The errors of sine and cosine are documented in [-2 pi, 2 pi].
struct Bound {
  double relative, absolute;
};
constexpr Bound kBounds[kSfuResultWords] = {
    {0x1p-22, 0},             // ex2
    {0x1p-22, 0x1p-22},       // lg2: absolute between 0.5 and 2, relative elsewhere
    {0x1p-23, 0},             // rcp: one unit in the last place
    {1.5157166 * 0x1p-23, 0}, // rsqrt: 2^-22.4
    {0x1p-23, 0},             // sqrt
    {0, 1.4142136 * 0x1p-21}, // sin: 2^-20.5
    {0, 1.4142136 * 0x1p-21}, // cos
    {0x1p-11, 0},             // tanh
};
constexpr double kTwoPi = 6.283185307179587;
constexpr double kGreatest = 0x1.fffffep127;
constexpr double kLeast = 0x1p-149;

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

bool within(SfuFunction function, double x, double result) {
  const double exact = reference(function, x);
  if (isnan(exact)) return isnan(result);
  if (function == kSfuSin || function == kSfuCos) {
    if (fabs(x) > kTwoPi) return fabs(result) <= 1 + kBounds[function].absolute;
  }
  // One unit in the last place below the normal range is more than any relative error.
  const double error = kBounds[function].relative * fabs(exact) + kBounds[function].absolute + kLeast;
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
