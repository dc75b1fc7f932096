// The unit of every family that AVX2 suffices for, with one kind of Tap.
#pragma once
#include "cpu_libm_unit.h"
#include "cpu_mem_unit.h"
#include "cpu_reg_unit.h"
#include "fma32_unit.h"
#include "fma64_unit.h"
#include "int_aes_unit.h"

namespace sentinel {

template <class Tap>
UnitOutcome run_unit(const UnitJob& job, Tap& tap) {
  switch (job.family) {
    case Family::kFma32: return run_fma32(job, tap);
    case Family::kFma64: return run_fma64(job, tap);
    case Family::kCpuMem: return run_cpu_mem(job, tap);
    case Family::kCpuLibm: return run_cpu_libm(job, tap);
    case Family::kCpuReg: return run_cpu_reg(job, tap);
    case Family::kIntAes: return run_int_aes(job, tap);
    default: return {};  // no CPU family: nothing offers it
  }
}

}  // namespace sentinel
