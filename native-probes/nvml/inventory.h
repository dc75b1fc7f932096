// The GPUs of this machine and the MIG instances on them, as NVML shows them, all of them whatever CUDA_VISIBLE_DEVICES says.
#pragma once
#include <string>
#include <vector>

#include "library.h"

namespace sentinel {
namespace nvml {

// Texts are empty and numbers 0 where the device does not offer them.
struct DeviceFacts {
  std::string uuid;  // "GPU-…" or "MIG-…"
  std::string name;
  std::string parent_uuid;  // of the GPU of a MIG instance
  std::string serial;
  std::string pci_bus_id;
  std::string vbios;
  uint32_t major = 0, minor = 0;  // compute capability
  uint32_t sm_count = 0;          // of a MIG instance alone: NVML does not say it of a GPU
  uint64_t memory_bytes = 0;
  bool mig_enabled = false;  // a GPU in MIG mode runs nothing itself: its instances do
};

struct Inventory {
  Error error;
  std::string driver_version;
  std::string cuda_version;  // newest that the driver can run, e.g. "12.2"
  std::vector<DeviceFacts> devices;  // each GPU, followed by its instances
};

Inventory take_inventory();

std::string cuda_version(const Api& api);
DeviceFacts facts_of(const Api& api, Device device);

}  // namespace nvml
}  // namespace sentinel
