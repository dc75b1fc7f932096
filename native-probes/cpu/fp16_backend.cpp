// The release's kernel of fma16, in an object of its own: it alone is compiled for AVX512-FP16.
#include "fma16_unit.h"

namespace sentinel {

UnitOutcome run_fma16_direct(const UnitJob& job) {
  DirectWideTap tap;
  return run_fma16(job, tap);
}

}  // namespace sentinel
