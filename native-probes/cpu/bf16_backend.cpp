// The release's kernel of cpu_bf16, in an object of its own: it alone is compiled for AVX512-BF16 and AMX.
#include "cpu_bf16_unit.h"

namespace sentinel {

UnitOutcome run_cpu_bf16_direct(const UnitJob& job, bool tiles) {
  DirectWideTap tap;
  return run_cpu_bf16(job, tiles, tap);
}

}  // namespace sentinel
