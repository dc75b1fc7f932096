// One execution on the GPU: the golden on two host CPUs, one launch for all SMs, a verdict for each SM that was asked
// for. An error of the driver is a result, never an exception.
#pragma once
#include "../cpu/execution.h"
#include "golden_cpus.h"
#include "gpu.h"

namespace sentinel::cuda {

struct GpuReport {
  Report report;
  double charged_us = 0;  // max(host, device) and the switch cost of each launch
  double device_us = 0;   // first start to last end by %globaltimer
  double host_us = 0;     // launch to completion
  uint32_t launches = 0;
};

GpuReport execute_on(Gpu& gpu, const Request& request);

}  // namespace sentinel::cuda
