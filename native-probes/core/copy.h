// Family copy: 16 MiB or a little more from host memory to the GPU, and as many back. A buffer is one region per SM,
// each with columns of copy_column_words(share) words, laid as region_offset() says. To the GPU: the host writes columns
// 0..31, the kernel reads them. Iteration i is column i, its two result words those of MarchRead, v as written, each lane
// its own columns. From the GPU: the kernel writes columns 32..63 into the second buffer, the host compares every word.
// Place: place_in(region, warp), so that every word says where it belongs. The buffers lie at the begin of the arena, the one
// from the GPU behind the one to it.
#pragma once
#include "march.h"

namespace sentinel {

constexpr uint32_t kCopyBytes = 16u << 20;
constexpr uint32_t kCopyIterations = kRegionColumns;
constexpr uint32_t kCopyToGpu = 0;                  // number of the first column
constexpr uint32_t kCopyFromGpu = kRegionColumns;

// n: the least with which `share` regions are at least kCopyBytes.
SENTINEL_CORE uint32_t copy_column_words(uint32_t share) {
  const uint32_t row_bytes = share * kRegionRow * 4;
  return (kCopyBytes + row_bytes - 1) / row_bytes;
}

// Of one buffer.
SENTINEL_CORE uint64_t copy_bytes(uint32_t share) {
  return uint64_t{share} * copy_column_words(share) * kRegionRow * sizeof(uint32_t);
}

SENTINEL_CORE void copy_results(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* results) {
  results[0] = column_of(seed, lane, kCopyToGpu + iteration).middle;
  results[1] = 0;
}

}  // namespace sentinel
