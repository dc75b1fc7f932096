// Family smem: marches over all shared memory that a block may have. Iteration i is read i mod 3 of march i div 3, whose
// columns have the number of the march and take all memory: n = words / threads of the block. The place of a column is
// the warp 0..7 that wrote it first. (The small variant's four warps play warps 0..3 and then 4..7, each time with all
// of its memory.) Word j of a column may lie anywhere: a kernel changes layout and order from march to march, so that
// lanes meet all banks, with and without conflicts, and takes 32, 64 and 128 bits at a time, ldmatrix and cp.async.
#pragma once
#include "march.h"

namespace sentinel {

constexpr uint32_t kSmemMarches = 32;
constexpr uint32_t kSmemIterations = kSmemMarches * kMarchReads;

SENTINEL_CORE void smem_results(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* results) {
  march_results(seed, lane, iteration / kMarchReads, iteration % kMarchReads, results);
}

}  // namespace sentinel
