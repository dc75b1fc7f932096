// fma16 with results that a fault may change, compiled as cpu/fp16_backend.cpp is.
#include "../cpu/fma16_unit.h"
#include "wide_fault_lanes.h"

namespace sentinel::injection {

UnitOutcome run_fma16_falsified(const UnitJob& job, WideFault fault) {
  WideFaultLanes tap{fault};
  return run_fma16(job, tap);
}

}  // namespace sentinel::injection
