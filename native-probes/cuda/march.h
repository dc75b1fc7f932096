// What the kernels of smem, l2, hbm and copy have in common: whose column a thread reads, and what becomes of its words.
#pragma once
#include "../core/march.h"
#include "skeleton.h"

namespace sentinel {

// Whose column the thread of `reader` reads: of another lane and another warp of its group than wrote it last.
SENTINEL_DEVICE WarpLane owner_of(const WarpLane& reader, uint32_t number, uint32_t read) {
  const uint32_t first = reader.warp / kWarpsPerGroup * kWarpsPerGroup;
  return {reader.smid, first + (reader.warp + read + 1) % kWarpsPerGroup, reader.place ^ partner_of(number, read)};
}

// In read 1 a column holds the complement; reads 0 and 1 leave the complement of what they found.
SENTINEL_DEVICE uint32_t mask_of(uint32_t read) { return read == 1 ? ~0u : 0u; }

SENTINEL_DEVICE void add_read(LaneResults& results, const MarchRead& read, uint32_t n, uint32_t place,
                              bool complemented) {
  results.add(read.mean(n, place, complemented));
  results.add(read.difference);
}

}  // namespace sentinel
