#include "switch_cost.h"

#include <algorithm>

#include "../cpu/pinned_thread.h"
#include "loop.h"

namespace sentinel::cuda {
namespace {

constexpr uint32_t kRounds = 8;
constexpr uint32_t kLoopLaunches = 40;  // longer than the time slices by which contexts take turns
constexpr uint32_t kInterruptions = 4;

Error run_round(const Session& ours, Launcher& launcher, const Kernel& idle, Loop& loop, bool interrupted, double& us) {
  if (const Error error = loop.begin(kLoopLaunches)) return error;
  if (const Error error = ours.enter()) return error;
  for (uint32_t k = 0; interrupted && k < kInterruptions; k++) {
    if (const Error error = launcher.census(idle, 0).error) return error;
  }
  return loop.end(us);
}

Error measure(const Session& ours, const GpuDevice& device, Launcher& launcher, const Kernel& idle, uint32_t slots,
              double& us) {
  Loop loop(ours.api(), device);
  if (const Error error = loop.open(Family::kFma32, slots)) return error;
  std::vector<double> alone(kRounds), interrupted(kRounds);
  for (uint32_t round = 0; round < kRounds; round++) {
    if (const Error error = run_round(ours, launcher, idle, loop, false, alone[round])) return error;
    if (const Error error = run_round(ours, launcher, idle, loop, true, interrupted[round])) return error;
  }
  us = median_difference(alone, interrupted) / kInterruptions;
  return {};
}

}  // namespace

double median_difference(std::vector<double> alone, const std::vector<double>& interrupted) {
  for (size_t k = 0; k < alone.size(); k++) alone[k] = interrupted[k] - alone[k];
  std::sort(alone.begin(), alone.end());
  const size_t middle = alone.size() / 2;
  const double median = alone.size() % 2 != 0 ? alone[middle] : (alone[middle - 1] + alone[middle]) / 2;
  return std::max(median, 0.0);
}

SwitchCost measure_switch_cost(const Session& session, const GpuDevice& device, Launcher& launcher, const Kernel& idle,
                               uint32_t slots) {
  SwitchCost out{false, kAssumedSwitchUs, 0};
  const uint64_t began_ns = monotonic_ns();
  double us = 0;
  const Error error = measure(session, device, launcher, idle, slots, us);
  if (!error) out = {true, us, 0};
  out.took_ns = monotonic_ns() - began_ns;
  return out;
}

}  // namespace sentinel::cuda
