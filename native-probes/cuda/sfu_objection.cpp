#include "sfu_objection.h"

#include <stdio.h>

#include "../core/fold.h"
#include "sfu_bounds.h"

namespace sentinel::cuda {
namespace {

std::string hex(uint32_t word) {
  char text[16];
  snprintf(text, sizeof text, "0x%08x", word);
  return text;
}

bool are_folded(const SfuSample& sample, const Expected& majority, const uint32_t* results) {
  for (uint32_t place = 0; place < kWarpLanes; place++) {
    const uint32_t lane = sample.group * kWarpLanes + place;
    const uint32_t* running = majority.running + lane;
    uint32_t digest = sample.block == 0 ? 0 : running[(sample.block - 1) * kGpuLanes];
    for (uint32_t k = 0; k < kGpuBlock * kSfuResultWords; k++) digest = fold(digest, results[k * kWarpLanes + place]);
    if (digest != running[sample.block * kGpuLanes]) return false;
  }
  return true;
}

}  // namespace

std::string sfu_objection(uint64_t seed, const Expected& majority, const uint32_t* results) {
  const SfuSample sample = sfu_sample(seed);
  if (!are_folded(sample, majority, results)) return "the results that came back are not those that the majority folded";
  const SfuErrors errors = sfu_errors(seed, sample.group, sample.block, results);
  if (errors.violations == 0) return "";
  const SfuViolation& first = errors.first;
  const std::string name = kSfuNames[first.function];
  return "the majority of the SMs is outside of the documented error of " + name + ": " + name + "(" +
         hex(first.operand) + ") = " + hex(first.result) + " in lane " + std::to_string(first.lane) + ", iteration " +
         std::to_string(first.iteration) + ", and " + std::to_string(errors.violations) + " of " +
         std::to_string(kSfuSampleWords) + " results in all";
}

}  // namespace sentinel::cuda
