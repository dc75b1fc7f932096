#include "gpu_targets.h"

#include "../addon/gpu.h"
#include "../cuda/inventory.h"

namespace sentinel {
namespace {

constexpr uint32_t kMostGpus = 1024;
constexpr uint32_t kSubPartitions = 4;
constexpr size_t kMostUuidBytes = 95;

// False for a field that is not given, or says that any will do.
bool names_one(Arguments& arguments, const char* field, const char* any) {
  return arguments.has(field) && !arguments.is_text(field, any);
}

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

bool refuse_number(Arguments& arguments, uint32_t number, const cuda::Census& census) {
  std::vector<std::string> there;
  for (const cuda::GpuDevice& device : census.devices)
    there.push_back(std::to_string(there.size()) + " (" + device.uuid + ")");
  const std::string rest = there.empty() ? census.missing : "there are " + joined(there);
  return arguments.refuse("gpu", "no GPU " + std::to_string(number) + " here" + (rest.empty() ? "" : "; " + rest));
}

bool uuid_from(Arguments& arguments, std::string& out) {
  if (arguments.is_text("gpu", "all")) return true;
  uint32_t number = 0;
  if (!arguments.is_number("gpu")) return arguments.text("gpu", kMostUuidBytes, out);
  if (!arguments.u32("gpu", kMostGpus, number)) return false;
  const cuda::Census census = cuda::take_full_census();
  if (number >= census.devices.size()) return refuse_number(arguments, number, census);
  out = census.devices[number].uuid;
  return true;
}

// SMs are known once the GPU is open.
bool has_sm(Arguments& arguments, const injection::GpuTarget& target) {
  const cuda::Gpu* gpu = opened_gpu();
  if (gpu == nullptr || (!target.uuid.empty() && target.uuid != gpu->device().uuid)) return true;
  std::vector<std::string> there;
  for (uint32_t sm : gpu->sms()) {
    if (sm == *target.sm) return true;
    there.push_back(std::to_string(sm));
  }
  return arguments.refuse("sm", "no SM " + std::to_string(*target.sm) + " on " + gpu->device().uuid + "; there are " +
                                    joined(there));
}

}  // namespace

bool gpu_target_from(Arguments& arguments, injection::GpuTarget& out) {
  if (arguments.has("cores")) return arguments.refuse("cores", "are CPUs: a fault of a GPU has sm and subPartition");
  if (!uuid_from(arguments, out.uuid)) return false;
  if (names_one(arguments, "subPartition", "any") &&
      !arguments.u32("subPartition", kSubPartitions - 1, out.sub_partition.emplace()))
    return false;
  if (!names_one(arguments, "sm", "all")) return true;
  return arguments.u32("sm", cuda::kMostSlots - 1, out.sm.emplace()) && has_sm(arguments, out);
}

}  // namespace sentinel
