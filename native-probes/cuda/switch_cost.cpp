#include "switch_cost.h"

#include <algorithm>

#include "../core/gpu_families.h"
#include "../cpu/pinned_thread.h"

namespace sentinel::cuda {
namespace {

constexpr uint32_t kRounds = 8;
constexpr uint32_t kLoopLaunches = 40;  // longer than the time slices by which contexts take turns
constexpr uint32_t kInterruptions = 4;

// The loop: one family's kernel, launched so often, in a context of its own.
class Loop {
 public:
  Loop(const Session& ours, const GpuDevice& device) : session_(ours.api(), ours.device()), device_(device) {}

  Error open(uint32_t slots) {
    if (const Error error = session_.open(0)) return error;
    CUmodule module = nullptr;
    if (const Error error = load_module(session_, device_, module)) return error;
    if (const Error error = find_kernel(session_, device_, module, "fma32", Variant::kFull, kernel_)) return error;
    if (kernel_.function == nullptr) return {kNotFound, "cuModuleGetFunction"};
    return take_memory(slots);
  }

  Error begin() {
    const Driver& api = session_.api();
    if (const Error error = session_.enter()) return error;
    if (const Error error = SENTINEL_CUDA_CALL(api, cuEventRecord, session_.started(), session_.stream())) return error;
    for (uint32_t k = 0; k < kLoopLaunches; k++) {
      arguments_.ticket++;
      void* parameters[] = {&arguments_};
      if (const Error error =
              SENTINEL_CUDA_CALL(api, cuLaunchKernel, kernel_.function, kernel_.blocks, 1, 1, kernel_.threads, 1, 1,
                                 kernel_.shared_bytes, session_.stream(), parameters, nullptr))
        return error;
    }
    return SENTINEL_CUDA_CALL(api, cuEventRecord, session_.ended(), session_.stream());
  }

  Error end(double& us) {
    if (const Error error = session_.enter()) return error;
    if (const Error error = session_.wait()) return error;
    float ms = 0;
    const Error error =
        SENTINEL_CUDA_CALL(session_.api(), cuEventElapsedTime, &ms, session_.started(), session_.ended());
    us = static_cast<double>(ms) * 1000;
    return error;
  }

 private:
  Error take_memory(uint32_t slots) {
    const TableLayout layout = table_layout(slots);
    const uint32_t iterations = gpu_shape_of(Family::kFma32).iterations;
    const size_t bytes = layout.bytes + running_bytes(slots, iterations / kGpuBlock);
    CUdeviceptr base = 0;
    if (const Error error = SENTINEL_CUDA_CALL(session_.api(), cuMemAlloc_v2, &base, bytes)) return error;
    arguments_.claims = base + layout.claims;
    arguments_.records = base + layout.records;
    arguments_.digests = base + layout.digests;
    arguments_.mismatches = base + layout.mismatches;
    arguments_.running = base + layout.bytes;
    arguments_.slots = slots;
    arguments_.iterations = iterations;
    arguments_.share = 1;
    if (const Error error = SENTINEL_CUDA_CALL(session_.api(), cuMemsetD8Async, base, 0, bytes, session_.stream()))
      return error;
    return session_.finish();
  }

  Session session_;
  const GpuDevice& device_;
  Kernel kernel_;
  LaunchArguments arguments_{};
};

Error run_round(const Session& ours, Launcher& launcher, const Kernel& idle, Loop& loop, bool interrupted, double& us) {
  if (const Error error = loop.begin()) return error;
  if (const Error error = ours.enter()) return error;
  for (uint32_t k = 0; interrupted && k < kInterruptions; k++) {
    if (const Error error = launcher.census(idle, 0).error) return error;
  }
  return loop.end(us);
}

Error measure(const Session& ours, const GpuDevice& device, Launcher& launcher, const Kernel& idle, uint32_t slots,
              double& us) {
  Loop loop(ours, device);
  if (const Error error = loop.open(slots)) return error;
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
