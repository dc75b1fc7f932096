// Family hbm: one march of moving inversions over the arena, past the second-level cache, which is smaller: every
// region's 32 columns per lane at once. Iteration i is read i div 32 of column i mod 32, so that each block of 32
// iterations is one read. Place: place_in(region, warp).
#pragma once
#include "march.h"

namespace sentinel {

constexpr uint32_t kHbmIterations = kMarchReads * kRegionColumns;

SENTINEL_CORE void hbm_results(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* results) {
  march_results(seed, lane, iteration % kRegionColumns, iteration / kRegionColumns, results);
}

}  // namespace sentinel
