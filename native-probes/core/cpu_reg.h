// Family cpu_reg: what the vector registers hold at first, and after an odd and an even number of complements.
#pragma once
#include "random.h"

namespace sentinel {

constexpr uint32_t kRegisters = 16;

// Words of the results: each register's complement, then its first contents again.
constexpr uint32_t kComplemented = 0;
constexpr uint32_t kRestored = kRegisters;

// The class of iteration i is i mod 8. The last register holds a random word in all of them, so that no two seeds have
// the same operands.
SENTINEL_CORE uint32_t register_pattern(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t k) {
  const uint32_t odd = 0u - (k & 1);
  const uint32_t pattern_class = k == kRegisters - 1 ? 7 : iteration & 7;
  switch (pattern_class) {
    case 0: return 0;
    case 1: return odd;                // neighbours hold the opposite
    case 2: return 0x55555555u;        // neighbouring bits
    case 3: return 0x55555555u ^ odd;  // neighbouring bits and registers
    case 4: return 0x33333333u ^ odd;
    case 5: return 1u << ((iteration / 8 + 8 * k + 4 * lane) & 31);  // walking
    case 6: return k * 0x11111111u;                                  // address in data
    default: return rand32(seed, lane, iteration * kRegisters + k);
  }
}

SENTINEL_CORE void cpu_reg_operands(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* operands) {
  for (uint32_t k = 0; k < kRegisters; k++) operands[k] = register_pattern(seed, lane, iteration, k);
}

SENTINEL_CORE void cpu_reg_results(const uint32_t* operands, uint32_t* results) {
  for (uint32_t k = 0; k < kRegisters; k++) {
    results[kComplemented + k] = ~operands[k];
    results[kRestored + k] = operands[k];
  }
}

}  // namespace sentinel
