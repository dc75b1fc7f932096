// The GPUs, and MIG instances of GPUs, that the driver shows this process. Makes no context.
#pragma once
#include <stdint.h>

#include <string>
#include <vector>

#include "driver.h"

namespace sentinel::cuda {

// Empty text = not known.
struct GpuDevice {
  CUdevice handle = 0;
  std::string uuid, name;
  int major = 0, minor = 0;
  std::string architecture;  // of the embedded kernels that it would run
  std::string missing;       // why it cannot be tested
  uint32_t sm_count = 0;
  uint64_t memory_bytes = 0, l2_bytes = 0;
  std::string parent_uuid, serial, pci_bus_id, driver_version;
  std::string vbios;
  std::string cuda_version;  // newest that the driver serves
};

struct Census {
  bool built = false;   // there are embedded kernels
  std::string missing;  // why there is no CUDA here
  std::vector<GpuDevice> devices;
};

// By compute capability: which of the embedded kernels, or why none.
void find_kernels(GpuDevice& device);

Census take_census();

}  // namespace sentinel::cuda
