#include "inventory.h"

namespace sentinel {
namespace nvml {
namespace {

constexpr uint32_t kMostGpus = 64;  // of a machine

bool has_mig(const Api& api, Device gpu) {
  uint32_t current = 0, pending = 0;
  return api.mig_mode != nullptr && api.mig_mode(gpu, &current, &pending) == kSuccess && current == 1;
}

std::string bus_id(const Api& api, Device device) {
  PciInfo pci{};
  return api.pci_info != nullptr && api.pci_info(device, &pci) == kSuccess ? pci.bus_id : "";
}

DeviceFacts instance_facts(const Api& api, Device instance, const DeviceFacts& gpu) {
  DeviceFacts facts = gpu;
  facts.parent_uuid = gpu.uuid;
  facts.mig_enabled = false;
  facts.uuid = read_text(api.uuid, instance);
  facts.name = read_text(api.name, instance);
  DeviceAttributes attributes{};
  if (api.attributes != nullptr && api.attributes(instance, &attributes) == kSuccess) {
    facts.sm_count = attributes.multiprocessors;
    facts.memory_bytes = attributes.memory_mib << 20;
  }
  return facts;
}

void add_instances(const Api& api, Device gpu, const DeviceFacts& facts, std::vector<DeviceFacts>& out) {
  uint32_t most = 0;
  if (api.most_mig_devices == nullptr || api.mig_by_index == nullptr) return;
  if (api.most_mig_devices(gpu, &most) != kSuccess) return;
  for (uint32_t k = 0; k < most; k++) {
    Device instance = nullptr;  // numbers of instances may have gaps
    if (api.mig_by_index(gpu, k, &instance) == kSuccess) out.push_back(instance_facts(api, instance, facts));
  }
}

}  // namespace

std::string cuda_version(const Api& api) {
  int number = 0;
  if (api.cuda_version == nullptr || api.cuda_version(&number) != kSuccess) return "";
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

DeviceFacts facts_of(const Api& api, Device device) {
  DeviceFacts facts;
  facts.uuid = read_text(api.uuid, device);
  facts.name = read_text(api.name, device);
  facts.serial = read_text(api.serial, device);
  facts.vbios = read_text(api.vbios, device);
  facts.pci_bus_id = bus_id(api, device);
  facts.mig_enabled = has_mig(api, device);
  Memory memory{};
  if (api.memory != nullptr && api.memory(device, &memory) == kSuccess) facts.memory_bytes = memory.total;
  int major = 0, minor = 0;
  if (api.compute_capability != nullptr && api.compute_capability(device, &major, &minor) == kSuccess) {
    facts.major = static_cast<uint32_t>(major);
    facts.minor = static_cast<uint32_t>(minor);
  }
  return facts;
}

Inventory take_inventory() {
  Inventory inventory;
  const Opened library = open_library();
  inventory.error = library.error;
  if (library.api == nullptr) return inventory;
  const Api& api = *library.api;
  inventory.driver_version = read_text(api.driver_version);
  inventory.cuda_version = cuda_version(api);
  uint32_t count = 0;
  const Return counted = api.count == nullptr ? kFunctionNotFound : api.count(&count);
  if (counted != kSuccess) inventory.error = {"nvmlDeviceGetCount_v2", counted};
  for (uint32_t k = 0; k < count && k < kMostGpus; k++) {
    Device gpu = nullptr;  // one that fell off the bus has no handle: it is left out, and the others are listed
    if (api.by_index == nullptr || api.by_index(k, &gpu) != kSuccess) continue;
    const DeviceFacts facts = facts_of(api, gpu);
    inventory.devices.push_back(facts);
    if (facts.mig_enabled) add_instances(api, gpu, facts, inventory.devices);
  }
  return inventory;
}

}  // namespace nvml
}  // namespace sentinel
