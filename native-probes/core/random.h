// Seeds and the counter-based generator: operand word i of any lane is computed alone, without the words before it.
#pragma once
#include "families.h"

namespace sentinel {

constexpr uint64_t kGolden64 = 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio, odd

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014; variant 13 of D. Stafford): a bijection on 64 bits.
SENTINEL_CORE uint64_t mix64(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// H(family, epoch, index). Within a family no two (epoch, index) share a seed. epoch = wall time in units of 10 s.
SENTINEL_CORE uint64_t seed_of(Family family, uint32_t epoch, uint32_t index) {
  const uint64_t salt = mix64(static_cast<uint64_t>(family) * kGolden64);
  return mix64(salt ^ (static_cast<uint64_t>(epoch) << 32 | index));
}

SENTINEL_CORE uint64_t rand64(uint64_t seed, uint32_t lane, uint32_t i) {
  const uint64_t counter = static_cast<uint64_t>(lane) << 32 | i;
  return mix64(seed + (counter + 1) * kGolden64);
}

SENTINEL_CORE uint32_t rand32(uint64_t seed, uint32_t lane, uint32_t i) {
  return static_cast<uint32_t>(rand64(seed, lane, i) >> 32);
}

}  // namespace sentinel
