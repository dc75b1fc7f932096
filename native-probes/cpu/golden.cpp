#include "golden.h"

#include "../core/cpu_bf16.h"
#include "../core/cpu_libm.h"
#include "../core/cpu_mem.h"
#include "../core/cpu_reg.h"
#include "../core/fma16.h"
#include "../core/fma32.h"
#include "../core/fma64.h"
#include "../core/fold.h"
#include "../core/int_aes.h"

namespace sentinel {
namespace {

constexpr uint32_t kMostWords = 36;

void compute_one(Family family, uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* operands,
                 uint32_t* results) {
  switch (family) {
    case Family::kFma32: {
      const Fma32Operands x = fma32_operands(seed, lane, iteration);
      operands[0] = x.a;
      operands[1] = x.b;
      operands[2] = x.c;
      return fma32_results(x, results);
    }
    case Family::kFma64: {
      const Fma64Operands x = fma64_operands(seed, lane, iteration);
      fma64_operand_words(x, operands);
      return fma64_results(x, results);
    }
    case Family::kFma16: {
      const HalfOperands x = fma16_operands(seed, lane, iteration);
      operands[0] = x.a;
      operands[1] = x.b;
      operands[2] = x.c;
      return fma16_results(x, results);
    }
    case Family::kIntAes: {
      int_aes_operands(seed, lane, iteration, operands);
      return int_aes_results(operands, results);
    }
    case Family::kCpuMem: {
      cpu_mem_operands(seed, lane, iteration, operands);
      return cpu_mem_results(operands, results);
    }
    case Family::kCpuLibm: return cpu_libm_vector(seed, lane, iteration, operands, results);
    case Family::kCpuBf16: {
      cpu_bf16_operands(seed, lane, iteration, operands);
      return cpu_bf16_results(operands, results);
    }
    case Family::kCpuReg: {
      cpu_reg_operands(seed, lane, iteration, operands);
      return cpu_reg_results(operands, results);
    }
    default: return;  // no CPU family: its shape has no iterations
  }
}

}  // namespace

void compute_golden(Family family, uint64_t seed, Golden& golden) {
  const FamilyShape shape = shape_of(family);
  uint32_t operands[kMostWords];
  uint32_t results[kMostWords];
  for (uint32_t lane = 0; lane < kLanes; lane++) {
    uint32_t digest = 0;
    for (uint32_t i = 0; i < shape.iterations; i++) {
      compute_one(family, seed, lane, i, operands, results);
      for (uint32_t w = 0; w < shape.operand_words; w++) {
        golden.operands[word_offset(shape.operand_words, i, w, lane)] = operands[w];
      }
      for (uint32_t w = 0; w < shape.result_words; w++) {
        golden.expected[word_offset(shape.result_words, i, w, lane)] = results[w];
        digest = fold(digest, results[w]);
      }
    }
    golden.lane_digests[lane] = digest;
  }
  golden.checksum = checksum_of(family, golden);
}

uint64_t checksum_of(Family family, const Golden& golden) {
  const FamilyShape shape = shape_of(family);
  const uint32_t per_word = shape.iterations * kLanes;
  const uint64_t of_operands = checksum(golden.operands, per_word * shape.operand_words, 1);
  return checksum(golden.expected, per_word * shape.result_words, of_operands);
}

}  // namespace sentinel
