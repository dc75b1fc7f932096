// cpu_bf16 with results that a fault may change, compiled as cpu/bf16_backend.cpp is.
#include "../cpu/cpu_bf16_unit.h"
#include "wide_fault_lanes.h"

namespace sentinel::injection {

UnitOutcome run_cpu_bf16_falsified(const UnitJob& job, bool tiles, WideFault fault) {
  WideFaultLanes tap{fault};
  return run_cpu_bf16(job, tiles, tap);
}

}  // namespace sentinel::injection
