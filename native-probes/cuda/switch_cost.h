// What it costs to make the GPU change from another context to ours and back.
#pragma once
#include "module.h"

namespace sentinel::cuda {

struct SwitchCost {
  bool measured = false;
  double us = 0;         // kAssumedSwitchUs where it could not be measured
  uint64_t took_ns = 0;  // of GPU time, as an upper bound
};

constexpr double kAssumedSwitchUs = 100;

// A fixed loop in a second context, by turns alone and interrupted by launches of `idle`, which does nothing, in the
// session's: what an interruption adds to the loop. The second context lives for the measurement alone.
SwitchCost measure_switch_cost(const Session& session, const GpuDevice& device, Launcher& launcher, const Kernel& idle,
                               uint32_t slots);

// Of one round each of the loop alone and interrupted, the median of what they differ by; never below 0. Pure.
double median_difference(std::vector<double> alone, const std::vector<double>& interrupted);

}  // namespace sentinel::cuda
