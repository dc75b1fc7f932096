// Family l2: the march of hbm over as much memory as stays in the second-level cache, with loads that pass the first
// level by; then atomic operations on words that the four warps of a group share.
//
// Iterations 0..95 are those of hbm. Iteration 96 + a, a = 0..31: each logical lane has two words, first[] and
// second[]. Some thread writes their initial values; after a barrier warp s = 0..3 of the group does both operations of
// kind a mod 4 once on the words of each lane L (by the thread of lane L ^ partner_of(a, s)), with the contributions
// of s; after another barrier the thread of lane L of each warp reads both words of L: the results. No order of the
// contributions gives another sum, exclusive or, greatest, least, union, intersection, or product.
//
//   kind 0: add, exclusive or     1: greatest, least (unsigned)     2: or, and     3: product (compare-and-swap), add
#pragma once
#include "hbm.h"

namespace sentinel {

constexpr uint32_t kL2Atomics = 32;
constexpr uint32_t kL2Iterations = kHbmIterations + kL2Atomics;
constexpr uint32_t kL2Contributors = 4;
constexpr uint32_t kL2AtomicKinds = 4;

// A region begins with the words of its atomics: [a][first, second][64 lanes]. The columns follow.
constexpr uint32_t kL2AtomicWords = kL2Atomics * 2 * kGpuLanes;
SENTINEL_CORE uint32_t l2_atomic_offset(uint32_t a, uint32_t which, uint32_t lane) {
  return (a * 2 + which) * kGpuLanes + lane;
}

struct L2Pair {
  uint32_t first, second;
};

// Numbers beyond those of the columns.
SENTINEL_CORE L2Pair l2_random_pair(uint64_t seed, uint32_t lane, uint32_t a, uint32_t k) {
  const uint64_t r = rand64(seed, lane, 0x10000 + a * 8 + k);
  return {static_cast<uint32_t>(r), static_cast<uint32_t>(r >> 32)};
}

// Of kind 2 each bit comes from one contributor alone.
SENTINEL_CORE L2Pair l2_initial(uint64_t seed, uint32_t lane, uint32_t a) {
  if (a % kL2AtomicKinds == 2) return {0, ~0u};
  return l2_random_pair(seed, lane, a, kL2Contributors);
}

SENTINEL_CORE L2Pair l2_contribution(uint64_t seed, uint32_t lane, uint32_t a, uint32_t s) {
  const L2Pair r = l2_random_pair(seed, lane, a, s);
  const uint32_t mine = 0x11111111u << s;
  switch (a % kL2AtomicKinds) {
    case 2: return {r.first & mine, r.second | ~mine};
    case 3: return {r.first | 1, r.second};
    default: return r;
  }
}

// What one contribution makes of the words.
SENTINEL_CORE L2Pair l2_combined(uint32_t a, L2Pair words, L2Pair by) {
  switch (a % kL2AtomicKinds) {
    case 0: return {words.first + by.first, words.second ^ by.second};
    case 1:
      return {words.first > by.first ? words.first : by.first, words.second < by.second ? words.second : by.second};
    case 2: return {words.first | by.first, words.second & by.second};
    default: return {words.first * by.first, words.second + by.second};
  }
}

SENTINEL_CORE void l2_results(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* results) {
  if (iteration < kHbmIterations) return hbm_results(seed, lane, iteration, results);
  const uint32_t a = iteration - kHbmIterations;
  L2Pair words = l2_initial(seed, lane, a);
  for (uint32_t s = 0; s < kL2Contributors; s++) words = l2_combined(a, words, l2_contribution(seed, lane, a, s));
  results[0] = words.first;
  results[1] = words.second;
}

}  // namespace sentinel
