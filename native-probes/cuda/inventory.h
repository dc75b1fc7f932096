// The GPUs of this machine: what CUDA shows, and what only NVML knows of them.
#pragma once
#include "../nvml/inventory.h"
#include "census.h"

namespace sentinel::cuda {

// Adds serial numbers, parents and driver version, and the MIG instances that CUDA shows only to a process that names
// them. A GPU in MIG mode is left out: it runs nothing itself. Pure.
Census merged(Census census, const nvml::Inventory& inventory);

Census take_full_census();

}  // namespace sentinel::cuda
