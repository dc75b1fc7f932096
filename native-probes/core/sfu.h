// Family sfu: operands of the special-function units. There is no golden: the tables inside differ between
// architectures, so the majority of the SMs says what is right, and the host checks documented errors
// (cuda/sfu_objection.h). Eight result words per (lane, iteration), NaNs canonical:
//   ex2(exponent)  lg2(positive)  rcp(positive)  rsqrt(positive)  sqrt(positive)  sin(angle)  cos(angle)  tanh(middling)
// all of them .approx.f32, without .ftz.
#pragma once
#include "float32.h"
#include "random.h"

namespace sentinel {

constexpr uint32_t kSfuIterations = 256;
constexpr uint32_t kSfuResultWords = 8;

enum SfuFunction : uint32_t { kSfuEx2, kSfuLg2, kSfuRcp, kSfuRsqrt, kSfuSqrt, kSfuSin, kSfuCos, kSfuTanh };

struct SfuOperands {
  uint32_t exponent, positive, angle, middling;  // binary32
};

// A segment of a table begins where all significand bits below the upper seven are 0.
SENTINEL_CORE uint32_t segment_boundary(uint32_t exponent_field, uint32_t segment) {
  return exponent_field << 23 | (segment & 127) << 16;
}

// Iteration mod 4: 0 uniform bits; 1, 2, 3 the boundary of a segment less one unit in the last place, itself, plus one.
SENTINEL_CORE SfuOperands sfu_operands(uint64_t seed, uint32_t lane, uint32_t iteration) {
  uint32_t r[4];
  for (uint32_t k = 0; k < 4; k++) r[k] = rand32(seed, lane, iteration * 4 + k);
  if (iteration % 4 == 0) return {r[0], r[1], r[2], r[3]};
  const uint32_t ulp = iteration % 4 - 2;  // modulo 2^32
  // Multiples of 1/128 up to 64, and of pi/256 up to 2 pi: pi * 2^51 is 0x1921fb54442d18.
  const uint32_t fixed = round_to(kBinary32, 1 + (r[0] & 8191), -7);
  const uint32_t angle = round_to(kBinary32, (1 + (r[2] & 511)) * uint64_t{0x1921fb54442d18u}, -59);
  return {(r[0] & kSign) | (fixed + ulp), segment_boundary(1 + (r[1] >> 8) % 254, r[1]) + ulp,
          (r[2] & kSign) | (angle + ulp), (r[3] & kSign) | (segment_boundary(117 + (r[3] >> 8) % 14, r[3]) + ulp)};
}

// One block of iterations of one group of lanes, another one with each seed: the host looks at its results.
struct SfuSample {
  uint32_t group, block;
};

SENTINEL_CORE SfuSample sfu_sample(uint64_t seed) {
  const uint32_t r = rand32(seed, kGpuLanes, 0);  // no lane has that number
  return {r % kGpuGroups, (r >> 8) % (kSfuIterations / kGpuBlock)};
}

constexpr uint32_t kSfuSampleWords = kGpuBlock * kSfuResultWords * (kGpuLanes / kGpuGroups);

}  // namespace sentinel
