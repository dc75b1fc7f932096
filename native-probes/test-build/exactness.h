// The software arithmetic of core/ against the instructions of this CPU, operation by operation.
#pragma once
#include <stdint.h>

namespace sentinel {

struct ExactnessReport {
  uint64_t vectors;     // of three operands; each is seven operations
  uint64_t mismatches;  // of operations
  uint32_t operation;   // of the first mismatch, as in Fma32 results
  uint32_t operands[3];
  uint32_t software, hardware;
};

// Vectors of the eight operand classes alike, from seeds (epoch, 0), (epoch, 1), ….
ExactnessReport check_exactness(uint64_t vectors, uint32_t epoch);

// One AES-128 block through AES-NI, encrypted and decrypted again.
void hardware_aes(const uint32_t* key, const uint32_t* block, uint32_t* encrypted, uint32_t* decrypted);

}  // namespace sentinel
