// Which part of which GPU a fault is for.
#pragma once
#include "../addon/values.h"
#include "fault_plan.h"

namespace sentinel {

// From gpu, sm and subPartition. False, with a TypeError thrown, for a GPU that this process does not see by its number
// and for an SM that its open GPU does not have.
bool gpu_target_from(Arguments& arguments, injection::GpuTarget& out);

}  // namespace sentinel
