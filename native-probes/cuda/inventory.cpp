#include "inventory.h"

#include <algorithm>

namespace sentinel::cuda {
namespace {

GpuDevice* find(std::vector<GpuDevice>& devices, const std::string& uuid) {
  const auto found =
      std::find_if(devices.begin(), devices.end(), [&](const GpuDevice& device) { return device.uuid == uuid; });
  return found == devices.end() ? nullptr : &*found;
}

GpuDevice unseen_by_cuda(const nvml::DeviceFacts& facts, const Census& census) {
  GpuDevice out;
  out.uuid = facts.uuid;
  out.name = facts.name;
  out.major = static_cast<int>(facts.major);
  out.minor = static_cast<int>(facts.minor);
  out.sm_count = facts.sm_count;
  out.memory_bytes = facts.memory_bytes;
  find_kernels(out);
  if (!census.missing.empty()) out.missing = census.missing;
  if (out.missing.empty() && facts.parent_uuid.empty()) out.missing = "CUDA does not show it to this process";
  return out;
}

void complete(GpuDevice& device, const nvml::DeviceFacts& facts, const nvml::Inventory& inventory) {
  device.parent_uuid = facts.parent_uuid;
  device.serial = facts.serial;
  device.driver_version = inventory.driver_version;
  device.vbios = facts.vbios;
  device.cuda_version = inventory.cuda_version;
  if (!facts.pci_bus_id.empty()) device.pci_bus_id = facts.pci_bus_id;
}

}  // namespace

Census merged(Census census, const nvml::Inventory& inventory) {
  for (const nvml::DeviceFacts& facts : inventory.devices) {
    if (facts.mig_enabled) continue;
    GpuDevice* device = find(census.devices, facts.uuid);
    if (device == nullptr) {
      census.devices.push_back(unseen_by_cuda(facts, census));
      device = &census.devices.back();
    }
    complete(*device, facts, inventory);
  }
  return census;
}

Census take_full_census() { return merged(take_census(), nvml::take_inventory()); }

}  // namespace sentinel::cuda
