#include "gpu.h"

#include <stdlib.h>

#include <algorithm>

#include "kernels.h"
#include "launch_hooks.h"

namespace sentinel::cuda {
namespace {

constexpr const char* kCensusFamily = "fma32";  // any family's kernel does it, with no iterations

const GpuDevice* find_device(const Census& census, const std::string& uuid) {
  for (const GpuDevice& device : census.devices) {
    if (device.uuid == uuid) return &device;
  }
  return nullptr;
}

std::string why_not(const Census& census, const GpuDevice* device, const std::string& uuid) {
  if (!census.missing.empty()) return census.missing;
  return device == nullptr ? "the driver shows no device " + uuid : device->missing;
}

bool shares_by_mps(const Session& session) {
  int enabled = 0;
  if (session.api().cuDeviceGetAttribute(&enabled, kMpsEnabled, session.device()) == kSuccess) return enabled != 0;
  return getenv("CUDA_MPS_PIPE_DIRECTORY") != nullptr;
}

Variant variant_for(VariantChoice choice, const Session& session) {
  if (choice == VariantChoice::kAuto) return shares_by_mps(session) ? Variant::kSmall : Variant::kFull;
  return choice == VariantChoice::kSmall ? Variant::kSmall : Variant::kFull;
}

}  // namespace

std::unique_ptr<Gpu> Gpu::open(const OpenRequest& request, std::string& why) {
  const Census census = take_census();
  const GpuDevice* device = find_device(census, request.uuid);
  why = why_not(census, device, request.uuid);
  const Driver* api = why.empty() ? driver(why) : nullptr;
  if (api == nullptr) return nullptr;
  std::unique_ptr<Gpu> gpu(new Gpu(*api, *device, request.use_graphs));
  why = gpu->start(request);
  return why.empty() ? std::move(gpu) : nullptr;
}

std::string Gpu::start(const OpenRequest& request) {
  const Driver& api = session_.api();
  if (const Error error = session_.open(request.stream_priority)) return describe(api, error);
  variant_ = variant_for(request.variant, session_);
  if (const Error error = memory_.take(device_.l2_bytes)) return describe(api, error);
  CUmodule module = nullptr;
  if (const Error error = load_module(session_, device_, module)) return describe(api, error);
  if (const Error error = kLaunchHooks.opened(session_, device_, module)) return describe(api, error);
  if (const Error error = find_kernels(module)) return describe(api, error);
  return find_sms();
}

Error Gpu::find_kernels(CUmodule module) {
  for (const GpuFamilyInfo& info : kGpuFamilies) {
    const char* instructions = instructions_of(info.family, device_.architecture.c_str());
    GpuFamily family{&info, gpu_shape_of(info.family), {}, instructions == nullptr ? "" : instructions, ""};
    if (const Error error = find_kernel(session_, device_, module, info.name, variant_, family.kernel)) return error;
    if (family.kernel.function == nullptr || family.shape.iterations == 0) {
      family.missing = "no kernel of this family for " + device_.architecture;
    }
    families_.push_back(family);
  }
  return {};
}

// The first launch, and then tables of the size that it says. What the family needs of the arena is known then.
std::string Gpu::find_sms() {
  const Driver& api = session_.api();
  const auto first = std::find_if(families_.begin(), families_.end(), [](const GpuFamily& family) {
    return std::string(kCensusFamily) == family.info->name;
  });
  if (!first->missing.empty()) return first->missing;
  if (const Error error = memory_.shape(kMostSlots)) return describe(api, error);
  const Launched launched = launcher_.census(first->kernel, device_.sm_count);
  if (launched.error) return describe(api, launched.error);
  uint32_t slots = 0;
  for (uint32_t smid = 0; smid < kMostSlots; smid++) {
    if (placed_on(launched.returned, smid).seat != Seat::kRan) continue;
    sms_.push_back(smid);
    slots = std::max({slots, launched.records[smid].nsmid, smid + 1});
  }
  if (sms_.empty()) return "no block of the first launches was placed on an SM";
  if (slots > kMostSlots) return "the device numbers its SMs up to " + std::to_string(slots - 1);
  if (const Error error = memory_.shape(slots)) return describe(api, error);
  switch_cost_ = measure_switch_cost(session_, device_, launcher_, first->kernel, slots);
  for (GpuFamily& family : families_) {
    if (family.missing.empty()) family.missing = missing_memory(*family.info);
  }
  return "";
}

std::string Gpu::missing_memory(const GpuFamilyInfo& info) const {
  const uint64_t need = arena_need(info.family, device_.l2_bytes, share());
  if (need > memory_.arena_bytes()) {
    return "it needs " + std::to_string(need >> 20) + " MiB of device memory, and the arena has " +
           std::to_string(memory_.arena_bytes() >> 20);
  }
  if (!is_enough(info.family, arena_bytes_of(info.family), share())) return "an SM's part of the memory is too small";
  return "";
}

// l2 works on what stays in the cache, hbm on three times as much as the cache holds.
uint64_t Gpu::arena_bytes_of(Family family) const {
  const bool marches = family == Family::kL2 || family == Family::kHbm;
  return marches ? arena_need(family, device_.l2_bytes, share()) : memory_.arena_bytes();
}

const GpuFamily* Gpu::family(Family wanted) const {
  for (const GpuFamily& family : families_) {
    if (family.info->family == wanted) return &family;
  }
  return nullptr;
}

Job Gpu::job_of(const GpuFamily& family, uint64_t seed) const {
  const Family number = family.info->family;
  Job out;
  out.family = number;
  out.kernel = &family.kernel;
  out.seed = seed;
  out.iterations = family.shape.iterations;
  out.has_golden = has_gpu_golden(number);
  out.share = share();
  out.arena_bytes = arena_bytes_of(number);
  out.copy_bytes = number == Family::kCopy ? copy_bytes(share()) : 0;
  return out;
}

Launched Gpu::run(const Job& job, const std::vector<uint32_t>& sms) {
  Launched out;
  out.error = session_.enter();
  if (!out.error) out = launcher_.run(job, sms);
  remember(out.error);
  return out;
}

void Gpu::fetch_results(const Job& job, uint32_t smid, Launched& launched) {
  launcher_.fetch_results(job, smid, launched);
  remember(launched.error);
}

void Gpu::remember(const Error& error) {
  if (!error) return;
  lost_ = error.status == kNotReady ? "the kernel did not end" : describe(session_.api(), error);
}

}  // namespace sentinel::cuda
