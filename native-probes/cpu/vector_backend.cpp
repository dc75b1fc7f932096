// The backend of a release: results go from the instruction to the fold untouched.
#include "fma32_unit.h"
#include "int_aes_unit.h"

namespace sentinel {
namespace {

void golden_on(Family family, uint64_t seed, uint32_t, Golden& golden) { compute_golden(family, seed, golden); }

UnitOutcome fma32_direct(const UnitJob& job) {
  DirectTap tap;
  return run_fma32(job, tap);
}

UnitOutcome int_aes_direct(const UnitJob& job) {
  DirectTap tap;
  return run_int_aes(job, tap);
}

}  // namespace

const Backend kBackend = {golden_on, fma32_direct, int_aes_direct};

}  // namespace sentinel
