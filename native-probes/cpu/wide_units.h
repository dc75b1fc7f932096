// Units of families that need more than AVX2. Each is compiled for its own instruction set and called only after cpuid
// allowed it.
#pragma once
#include "unit.h"

namespace sentinel {

// 32 halves to a vector of 512 bits, and one round per turn of them.
constexpr uint32_t kFma16Rounds = 32;

UnitOutcome run_fma16_direct(const UnitJob& job);

// 16 columns to a vector of 512 bits and to a tile, and one round per turn of them and per kind of instruction.
constexpr uint32_t kCpuBf16Rounds = 16;
constexpr uint32_t kCpuBf16TileRounds = 3 * kCpuBf16Rounds;

UnitOutcome run_cpu_bf16_direct(const UnitJob& job, bool tiles);

}  // namespace sentinel
