// The backend of a release: results go from the instruction to the fold untouched.
#include "features.h"
#include "vector_units.h"
#include "wide_units.h"

namespace sentinel {
namespace {

void golden_on(Family family, uint64_t seed, uint32_t, Golden& golden) { compute_golden(family, seed, golden); }

UnitOutcome unit_direct(const UnitJob& job) {
  if (job.family == Family::kFma16) return run_fma16_direct(job);
  if (job.family == Family::kCpuBf16) return run_cpu_bf16_direct(job, cpu_features().amx);
  DirectTap tap;
  return run_unit(job, tap);
}

}  // namespace

const Backend kBackend = {golden_on, unit_direct};

}  // namespace sentinel
