// cpu_mem: the march with loads and stores of 256 bits, over a buffer of the addon.
#pragma once
#include "../core/cpu_mem.h"
#include "vector_unit.h"

namespace sentinel {

constexpr uint32_t kCpuMemRounds = 1;

constexpr uint32_t kCacheLineWords = 16;

// One repetition of one region. Operands, results and blocks are those of its first iteration.
template <class Tap>
struct MemoryMarch {
  Tap& tap;
  const MemoryRegion region;
  const uint32_t* operands;
  uint32_t* results;
  uint32_t* memory;

  void run() {
    for (uint32_t b = 0; b < region.blocks; b++) write(b);
    settle();
    for (uint32_t b = 0; b < region.blocks; b++) read<0>(b);
    settle();
    for (uint32_t b = region.blocks; b-- > 0;) read<1>(b);
    settle();
    for (uint32_t b = 0; b < region.blocks; b++) read<2>(b);
  }

 private:
  __m256i operand(uint32_t block, uint32_t word) const {
    return load_lanes(operands + (block * kCpuMemShape.operand_words + word) * kLanes);
  }

  void write(uint32_t block) {
    __m256i value = operand(block, kBase);
    const __m256i step = operand(block, kStep);
    uint32_t* words = memory + block * kBlockWords;
    for (uint32_t j = 0; j < kColumn; j++, words += kLanes) {
      store_lanes(words, opaque(value));
      value = _mm256_add_epi32(value, step);
    }
  }

  // Every store is done before the next element begins; a flushed region has left all caches.
  void settle() {
    _mm_mfence();
    if (!region.flushed) return;
    for (uint32_t w = 0; w < region.blocks * kBlockWords; w += kCacheLineWords) _mm_clflush(memory + w);
    _mm_mfence();
  }

  // The second read goes downwards and finds the complement; the first two leave the complement of what they find.
  template <uint32_t which>
  void read(uint32_t block) {
    constexpr bool down = which == 1;
    const __m256i ones = _mm256_set1_epi32(-1), zero = _mm256_setzero_si256();
    const __m256i step = operand(block, kStep);
    const __m256i to_last = _mm256_mullo_epi32(step, _mm256_set1_epi32(kColumn - 1));
    const __m256i base = operand(block, kBase);
    __m256i expected = down ? _mm256_xor_si256(_mm256_add_epi32(base, to_last), ones) : base;
    __m256i sum = zero, partial_sums = zero, difference = zero;
    for (uint32_t j = 0; j < kColumn; j++) {
      const uint32_t offset = block * kBlockWords + (down ? kColumn - 1 - j : j) * kLanes;
      uint32_t* words = memory + offset;
      const uint32_t* source = tap.address(memory, offset, region.blocks * kBlockWords);
      const __m256i value = tap.template lanes<ResultKind::kBits>(opaque(load_lanes(source)));
      if (which < 2) store_lanes(words, opaque(_mm256_xor_si256(expected, ones)));
      difference = _mm256_or_si256(difference, _mm256_xor_si256(value, expected));
      sum = _mm256_add_epi32(sum, value);
      partial_sums = _mm256_add_epi32(partial_sums, sum);
      expected = _mm256_add_epi32(expected, step);
    }
    uint32_t* out = results + (block * kCpuMemShape.result_words + which * kWordsOfRead) * kLanes;
    store_lanes(out + kSum * kLanes, sum);
    store_lanes(out + kPartialSums * kLanes, partial_sums);
    store_lanes(out + kDifference * kLanes, difference);
  }
};

template <class Tap>
void march_memory(const UnitJob& job, Tap& tap) {
  uint32_t iteration = 0;
  for (const MemoryRegion& region : kMemoryRegions) {
    for (uint32_t k = 0; k < region.repetitions; k++, iteration += region.blocks) {
      const uint32_t* operands = job.golden->operands + iteration * kCpuMemShape.operand_words * kLanes;
      uint32_t* results = job.results + iteration * kCpuMemShape.result_words * kLanes;
      MemoryMarch<Tap>{tap, region, operands, results, job.memory}.run();
    }
  }
}

template <class Tap>
UnitOutcome run_cpu_mem(const UnitJob& job, Tap& tap) {
  return run_rounds(job, kCpuMemRounds, [&](uint32_t, uint32_t* lane_digests) {
    march_memory(job, tap);
    __m256i digest = _mm256_setzero_si256();
    for (uint32_t w = 0; w < kCpuMemShape.iterations * kCpuMemShape.result_words; w++) {
      digest = fold_lanes_of(digest, load_lanes(job.results + w * kLanes));
    }
    store_lanes(lane_digests, digest);
  });
}

}  // namespace sentinel
