// The GPU of this process: its context, its kernels, its memory, and which SMs it has.
#pragma once
#include <memory>

#include "census.h"
#include "gpu_families.h"
#include "switch_cost.h"

namespace sentinel::cuda {

enum class VariantChoice { kAuto, kFull, kSmall };

constexpr int kLowestPriority = 1000;  // larger than any that a device offers

struct OpenRequest {
  std::string uuid;
  int stream_priority = kLowestPriority;  // clamped to what the device offers
  bool use_graphs = true;
  VariantChoice variant = VariantChoice::kAuto;
};

struct GpuFamily {
  const GpuFamilyInfo* info = nullptr;
  GpuShape shape{};
  Kernel kernel;
  std::string instructions;  // SASS, separated by spaces
  std::string missing;       // why it cannot run on this device; empty if it can
};

class Gpu {
 public:
  // Null where that does not succeed: `why` says the reason.
  static std::unique_ptr<Gpu> open(const OpenRequest& request, std::string& why);

  const GpuDevice& device() const { return device_; }
  Variant variant() const { return variant_; }
  const std::vector<GpuFamily>& families() const { return families_; }
  // Null where the family is none of a GPU.
  const GpuFamily* family(Family family) const;
  const std::vector<uint32_t>& sms() const { return sms_; }  // %smid that the census launch reached, ascending
  DeviceMemory& memory() { return memory_; }
  const DeviceMemory& memory() const { return memory_; }
  const SwitchCost& switch_cost() const { return switch_cost_; }
  const Session& session() const { return session_; }

  // SMs among which an arena is divided: each has the part of its number.
  uint32_t share() const { return sms_.back() + 1; }
  // The job of a family, without its golden.
  Job job_of(const GpuFamily& family, uint64_t seed) const;
  // Makes the context the calling thread's, runs, and remembers an error: see lost().
  Launched run(const Job& job, const std::vector<uint32_t>& sms);
  // After it, of a job without a golden: the results of one SM, to memory().results().
  void fetch_results(const Job& job, uint32_t smid, Launched& launched);
  // What went wrong in an earlier run, after which nothing more is tried; empty if nothing did.
  const std::string& lost() const { return lost_; }

 private:
  void remember(const Error& error);
  Gpu(const Driver& api, const GpuDevice& device, bool use_graphs)
      : device_(device), session_(api, device.handle), memory_(session_), launcher_(session_, memory_, use_graphs) {}
  // Each returns why it did not succeed, or an empty text.
  std::string start(const OpenRequest& request);
  std::string find_sms();
  Error find_kernels(CUmodule module);
  uint64_t arena_bytes_of(Family family) const;
  std::string missing_memory(const GpuFamilyInfo& info) const;

  const GpuDevice device_;
  Variant variant_ = Variant::kFull;
  Session session_;
  DeviceMemory memory_;
  Launcher launcher_;
  std::vector<GpuFamily> families_;
  std::vector<uint32_t> sms_;
  SwitchCost switch_cost_;
  std::string lost_;
};

}  // namespace sentinel::cuda
