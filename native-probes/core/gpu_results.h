// What a GPU's lane folds in one iteration, by integer arithmetic: the results of every family that has a golden of its
// own.
#pragma once
#include "bf16.h"
#include "copy.h"
#include "fma16.h"
#include "fma32.h"
#include "fma64.h"
#include "gpu_families.h"
#include "hbm.h"
#include "int_aes.h"
#include "l2.h"
#include "regfile.h"
#include "smem.h"
#include "tc_exact.h"

namespace sentinel {

static_assert(kRegfileGpuShape.iterations == kRegfileIterations, "");
static_assert(kSmemGpuShape.iterations == kSmemIterations, "");
static_assert(kL2GpuShape.iterations == kL2Iterations, "");
static_assert(kHbmGpuShape.iterations == kHbmIterations, "");
static_assert(kCopyGpuShape.iterations == kCopyIterations, "");

// Writes gpu_shape_of(family).result_words words. The family has a golden; lane is 0..63.
SENTINEL_CORE void gpu_results(Family family, uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* results) {
  switch (family) {
    case Family::kFma32: return fma32_results(fma32_operands(seed, lane, iteration), results);
    case Family::kFma64: return fma64_results(fma64_operands(seed, lane, iteration), results);
    case Family::kFma16: return fma16_results(fma16_operands(seed, lane, iteration), results);
    case Family::kBf16: return bf16_results(bf16_operands(seed, lane, iteration), results);
    case Family::kIntAes: {
      uint32_t operands[kIntAesShape.operand_words];
      int_aes_operands(seed, lane, iteration, operands);
      return int_aes_results(operands, results);
    }
    case Family::kRegfile: return regfile_results(seed, lane, iteration, results);
    case Family::kSmem: return smem_results(seed, lane, iteration, results);
    case Family::kL2: return l2_results(seed, lane, iteration, results);
    case Family::kHbm: return hbm_results(seed, lane, iteration, results);
    case Family::kCopy: return copy_results(seed, lane, iteration, results);
    case Family::kTcFp16:
    case Family::kTcBf16:
    case Family::kTcTf32:
    case Family::kTcFp8:
    case Family::kTcInt8:
    case Family::kTcFp64: return tc_results(family, seed, lane, iteration, results);
    default: return;  // has_gpu_golden() is false
  }
}

}  // namespace sentinel
