// The software arithmetic of core/ against the instructions of this CPU, or against big integers, operation by operation.
#pragma once
#include "../core/families.h"

namespace sentinel {

struct ExactnessReport {
  uint64_t vectors;     // of three operands each
  uint64_t mismatches;  // of result words
  uint32_t word;        // of the results: the first mismatch
  uint32_t operand_words;
  uint32_t operands[6];
  uint32_t software, hardware;
};

// Of fma32 or fma64. Vectors of the eight operand classes alike, from seeds (epoch, 0), (epoch, 1), ….
ExactnessReport check_exactness(Family family, uint64_t vectors, uint32_t epoch);

// Of fma16 or bf16, against big integers: `hardware` is what those give.
ExactnessReport check_half_exactness(Family family, uint64_t vectors, uint32_t epoch);

// One AES-128 block through AES-NI, encrypted and decrypted again.
void hardware_aes(const uint32_t* key, const uint32_t* block, uint32_t* encrypted, uint32_t* decrypted);

}  // namespace sentinel
