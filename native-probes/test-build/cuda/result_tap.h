// The tap of the test build: results pass through the faults of the table that the host wrote. Found first on the include
// path when kernels are compiled for it.
#pragma once
#include <device.h>

#include "../../core/random.h"
#include "gpu_fault.h"

#if defined(__CUDACC__)
// One body for all results of all kernels: inlined, it would be most of each kernel.
#define SENTINEL_CALLED static __device__ __noinline__
extern "C" __device__ sentinel::injection::GpuFaults sentinel_gpu_faults = {};
#else
#define SENTINEL_CALLED static
#endif

namespace sentinel {
namespace injection {

#if defined(__CUDACC__)
SENTINEL_DEVICE GpuFaults& gpu_faults() { return sentinel_gpu_faults; }
#else
SENTINEL_DEVICE GpuFaults& gpu_faults() { return *static_cast<GpuFaults*>(fake::module_variable()); }
#endif

constexpr uint32_t kSubPartitions = 4;
constexpr uint32_t kThreadsOfWarp = 32;

// Numbers of a generator, one after the other.
struct Draw {
  uint64_t state;

  SENTINEL_MEMBER uint32_t operator()() { return static_cast<uint32_t>(mix64(state += kGolden64) >> 32); }
};

// A word of this thread.
struct Place {
  uint32_t lane, iteration, number;

  // Among the words of its SM.
  SENTINEL_MEMBER uint64_t hashed() const {
    const uint32_t warp = device::thread() / kThreadsOfWarp;
    return mix64((uint64_t{warp * kGpuLanes + lane} << 16 | iteration) << 32 | number);
  }
};

SENTINEL_DEVICE bool is_at(uint32_t wanted, uint32_t place) { return wanted == kAnyPlace || wanted == place; }

SENTINEL_DEVICE bool happens(uint32_t threshold, uint32_t random) { return threshold == kAlways || random < threshold; }

SENTINEL_DEVICE uint32_t sub_partition() { return device::warp_id() % kSubPartitions; }

SENTINEL_DEVICE bool is_here(const GpuFault& fault, const Place& place) {
  return is_at(fault.sm, device::smid()) && is_at(fault.lane, place.lane) && is_at(fault.sub_partition, sub_partition());
}

// Whether the one word of this execution is this one. Of the threads that compute a lane one is on each sub-partition.
SENTINEL_DEVICE bool is_drawn(const GpuFault& fault, const Place& place, Draw draw) {
  if (!happens(fault.threshold_exec, draw())) return false;
  const uint32_t lane = draw() % kGpuLanes, part = draw() % kSubPartitions;
  if (fault.lane == kAnyPlace && lane != place.lane) return false;
  if (fault.sub_partition == kAnyPlace && part != sub_partition()) return false;
  const GpuFaults& table = gpu_faults();
  return draw() % table.iterations == place.iteration && draw() % table.words == place.number;
}

SENTINEL_DEVICE uint32_t passed_through(const GpuFault& fault, const Place& place, uint32_t word) {
  if (!is_here(fault, place) || (word & fault.data_mask) != fault.data_value) return word;
  const Draw of_sm{fault.same != 0 ? fault.random : mix64(fault.random ^ (uint64_t{device::smid()} + 1) * kGolden64)};
  Draw of_word{of_sm.state ^ place.hashed()};
  const bool due =
      fault.threshold_exec != 0 ? is_drawn(fault, place, of_sm) : happens(fault.threshold, of_word());
  if (!due) return word;
  const uint32_t wrong = changed_word(fault.effect, fault.mask, word, of_word);
  if (wrong != word) device::atomic_add(&gpu_faults().changed, 1);
  return wrong;
}

SENTINEL_CALLED uint32_t through_all(uint32_t lane, uint32_t iteration, uint32_t number, uint32_t word) {
  const GpuFaults& table = gpu_faults();
  if (table.count == 0) return word;
  SENTINEL_ROLLED
  for (uint32_t k = 0; k < table.count; k++) word = passed_through(table.faults[k], {lane, iteration, number}, word);
  device::sync_warp();  // faults act on some lanes, and the instructions of a warp that follow want all of them
  return word;
}

}  // namespace injection

class ResultTap {
 public:
  SENTINEL_MEMBER ResultTap(uint32_t lane, uint32_t iteration) : lane_(lane), iteration_(iteration) {}

  SENTINEL_MEMBER uint32_t operator()(uint32_t number, uint32_t word) const {
    return injection::through_all(lane_, iteration_, number, word);
  }

 private:
  const uint32_t lane_, iteration_;
};

}  // namespace sentinel
