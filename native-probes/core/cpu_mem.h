// Family cpu_mem: what a march over a buffer reads, in closed form. An iteration is one block of the buffer, 64 words
// of each lane. Word j of a lane holds base + j * step modulo 2^32, both hashed from the block's and the lane's
// address: an odd step makes the words of a lane distinct, so that a word of another place shows.
#pragma once
#include "random.h"

namespace sentinel {

constexpr uint32_t kColumn = 64;  // words of a lane in a block
constexpr uint32_t kBlockWords = kColumn * kLanes;

// A part of the buffer, of a size that stays in one level of the caches, marched over `repetitions` times with other
// data; flushed = evicted to memory between the elements of the march.
struct MemoryRegion {
  uint32_t blocks;  // of 2 KiB
  uint32_t repetitions;
  bool flushed;
};
constexpr MemoryRegion kMemoryRegions[] = {{8, 16, false}, {128, 4, false}, {2048, 1, false}, {32, 2, true}};

constexpr uint32_t memory_iterations() {
  uint32_t sum = 0;
  for (const MemoryRegion& region : kMemoryRegions) sum += region.blocks * region.repetitions;
  return sum;
}
static_assert(memory_iterations() == kCpuMemShape.iterations, "every block is an iteration");

constexpr uint32_t most_blocks() {
  uint32_t most = 0;
  for (const MemoryRegion& region : kMemoryRegions) most = region.blocks > most ? region.blocks : most;
  return most;
}
constexpr uint32_t kMemoryWords = most_blocks() * kBlockWords;

// Words of the operands.
constexpr uint32_t kBase = 0;
constexpr uint32_t kStep = 1;

// The march: write v upwards; read v and write ~v, upwards; read ~v and write v, downwards; read v, upwards. Of each of
// the three reads: the sum of the words, the sum of the partial sums (which tells where), and the bits that differed
// from what was written, in any word.
constexpr uint32_t kMemoryReads = 3;
constexpr uint32_t kSum = 0;
constexpr uint32_t kPartialSums = 1;
constexpr uint32_t kDifference = 2;
constexpr uint32_t kWordsOfRead = 3;

SENTINEL_CORE void cpu_mem_operands(uint64_t seed, uint32_t lane, uint32_t iteration, uint32_t* operands) {
  operands[kBase] = rand32(seed, lane, iteration * 2);
  operands[kStep] = rand32(seed, lane, iteration * 2 + 1) | 1;
}

// first is the word that is read first, step what each next one adds.
SENTINEL_CORE void sums_of_column(uint32_t first, uint32_t step, uint32_t* results) {
  constexpr uint32_t n = kColumn;
  results[kSum] = n * first + n * (n - 1) / 2 * step;
  results[kPartialSums] = n * (n + 1) / 2 * first + (n - 1) * n * (n + 1) / 6 * step;
  results[kDifference] = 0;
}

SENTINEL_CORE void cpu_mem_results(const uint32_t* operands, uint32_t* results) {
  const uint32_t base = operands[kBase], step = operands[kStep];
  const uint32_t last = base + (kColumn - 1) * step;
  sums_of_column(base, step, results);
  sums_of_column(~last, step, results + kWordsOfRead);  // ~(x - step) is ~x + step
  sums_of_column(base, step, results + 2 * kWordsOfRead);
}

}  // namespace sentinel
