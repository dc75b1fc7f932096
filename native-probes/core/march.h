// What the memory families smem, l2, hbm and copy have in common. Memory is divided into columns. A column belongs to a
// place (which SM, which warp of its block), a logical lane and a number, and has n words, n >= 1 depending on the size
// of the memory. Word j of it holds middle + (j - h) * step, where h = ((n - 1) | 1) / 2, so that the mean of the first
// (n - 1) | 1 words is `middle` whatever n is: results, and with them digests, do not depend on the size. middle and
// step are hashed from the lane and the number of the column; each place adds a salt of its own, which is taken away
// from the mean again: a word of another column or place shows, and all SMs of all GPUs give the same results.
//
// A march is: write v; read v and write ~v; read ~v and write v; read v. All threads of a block meet at a barrier
// between two of these. Each of the three reads of a column gives two result words, MarchRead::mean() and `difference`;
// the order of the words within a read is free, since sums do not depend on it. In read r = 0, 1, 2 of column c the
// thread of lane L reads (and rewrites) the column of lane L ^ partner_of(c, r), of another warp of its group than wrote
// it last, if the block has them: what one thread writes, one of another sub-partition reads.
#pragma once
#include "fold.h"
#include "random.h"

namespace sentinel {

constexpr uint32_t kMarchReads = 3;
constexpr uint32_t kMarchResultWords = 2;

// Words that are summed: the largest odd number up to n. An odd number has an inverse modulo 2^32.
SENTINEL_CORE uint32_t words_of_mean(uint32_t n) { return (n - 1) | 1; }

// Newton's iteration: x * 3 ^ 2 is the inverse modulo 2^5, each step doubles the bits.
SENTINEL_CORE uint32_t inverse_of_odd(uint32_t x) {
  uint32_t inverse = x * 3 ^ 2;
  for (uint32_t step = 0; step < 3; step++) inverse *= 2 - x * inverse;
  return inverse;
}

struct Column {
  uint32_t middle, step;  // the step is odd: no two words of a column are equal

  SENTINEL_CORE_MEMBER uint32_t word(uint32_t n, uint32_t j) const { return middle + (j - words_of_mean(n) / 2) * step; }
};

SENTINEL_CORE Column column_of(uint64_t seed, uint32_t lane, uint32_t number) {
  return {rand32(seed, lane, number * 2), rand32(seed, lane, number * 2 + 1) | 1};
}

// place: differs between all columns of one lane and number that exist at once.
SENTINEL_CORE uint32_t salt_of(uint32_t place) { return place * kFoldMultiplier; }

SENTINEL_CORE Column column_at(uint64_t seed, uint32_t place, uint32_t lane, uint32_t number) {
  const Column column = column_of(seed, lane, number);
  return {column.middle + salt_of(place), column.step};
}

// Of lanes in one group: 0..31.
SENTINEL_CORE uint32_t partner_of(uint32_t number, uint32_t read) { return (number * 5 + read * 11 + 1) & 31; }

// What a read of one column found. Which words it adds in which order is free.
struct MarchRead {
  uint32_t sum = 0;         // of the first words_of_mean(n) words
  uint32_t difference = 0;  // bits in which any of the n words was not what had been written

  SENTINEL_CORE_MEMBER void add(uint32_t n, uint32_t j, uint32_t word, uint32_t expected) {
    if (j < words_of_mean(n)) sum += word;
    difference |= word ^ expected;
  }
  // Of a column that held v, or (complemented) ~v.
  SENTINEL_CORE_MEMBER uint32_t mean(uint32_t n, uint32_t place, bool complemented) const {
    const uint32_t salt = salt_of(place);
    return sum * inverse_of_odd(words_of_mean(n)) + (complemented ? salt : 0 - salt);
  }
};

// The two result words of read r of column `number` by the thread of `lane`.
SENTINEL_CORE void march_results(uint64_t seed, uint32_t lane, uint32_t number, uint32_t read, uint32_t* results) {
  const uint32_t middle = column_of(seed, lane ^ partner_of(number, read), number).middle;
  results[0] = read == 1 ? ~middle : middle;
  results[1] = 0;
}

// How l2, hbm and copy lay their columns: an SM has a region (its number is below `share`), in which 8 warps have 32
// columns per lane, all of them at once; one word of 32 neighbouring lanes is one line of 128 bytes.
constexpr uint32_t kRegionColumns = 32;
constexpr uint32_t kRegionWarps = 8;
constexpr uint32_t kRegionRow = kRegionColumns * kRegionWarps * 32;  // words that one j has

// Words of a region, which begins at region * region_words(): whole lines of 128 bytes.
SENTINEL_CORE uint32_t region_words(uint64_t arena_bytes, uint32_t share) {
  return static_cast<uint32_t>(arena_bytes / 128 / share) * 32;
}

// n of a region of so many words; 0 = too small.
SENTINEL_CORE uint32_t column_words(uint32_t region_words) { return region_words / kRegionRow; }

// Offset in the region, in words. lane: in the warp, 0..31.
SENTINEL_CORE uint32_t region_offset(uint32_t j, uint32_t number, uint32_t warp, uint32_t lane) {
  return ((j * kRegionColumns + number % kRegionColumns) * kRegionWarps + warp) * 32 + lane;
}

SENTINEL_CORE uint32_t place_in(uint32_t region, uint32_t warp) { return region * kRegionWarps + warp; }

}  // namespace sentinel
