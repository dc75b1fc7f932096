// The host's side of family copy: what lies in a buffer that goes to the GPU, and whether what came back is right.
#pragma once
#include <stddef.h>

#include "../core/copy.h"

namespace sentinel {

// One direction: kCopyToGpu or kCopyFromGpu says which columns; `regions` as the kernel's `share`.
struct CopyBuffer {
  uint64_t seed;
  uint32_t first_column;
  uint32_t regions;

  uint32_t column_length() const { return copy_column_words(regions); }
  size_t words() const { return copy_bytes(regions) / sizeof(uint32_t); }
};

void fill_copy(const CopyBuffer& buffer, uint32_t* words);

struct CopyDifference {
  uint64_t count = 0;                                   // wrong words; the rest is of the one with the lowest address
  uint64_t offset = 0;                                  // in bytes
  uint32_t region = 0, warp = 0, lane = 0, column = 0;  // lane: logical
  uint32_t expected = 0, actual = 0;
};

// Of one region; `words` is the whole buffer.
CopyDifference compare_copy(const CopyBuffer& buffer, uint32_t region, const uint32_t* words);

}  // namespace sentinel
