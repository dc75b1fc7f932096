// The march of l2 and hbm over the arena, of which every SM has a region of its own.
#pragma once
#include "../core/hbm.h"
#include "march.h"

namespace sentinel {

// Loads that a thread has in flight: enough of them hide the way to the memory.
constexpr uint32_t kLoadsInFlight = 16;

class Region {
 public:
  // words: of the region. The columns begin after `head` words.
  SENTINEL_MEMBER Region(const LaunchArguments& arguments, uint32_t smid, uint32_t words, uint32_t head)
      : first_(uint64_t{smid} * words),
        words_(table<uint32_t>(arguments.arena) + first_),
        head_(head),
        n_(column_words(words - head)) {}

  SENTINEL_MEMBER uint32_t n() const { return n_; }
  SENTINEL_MEMBER uint32_t* head() const { return words_; }
  SENTINEL_MEMBER uint32_t* word(uint32_t j, uint32_t number, const WarpLane& owner) const {
    return words_ + head_ + region_offset(j, number, owner.warp, owner.place);
  }
  // Of a word in the arena, in bytes.
  SENTINEL_MEMBER uint64_t offset(const uint32_t* word) const {
    return (first_ + static_cast<uint64_t>(word - words_)) * sizeof(uint32_t);
  }
  SENTINEL_DEVICE uint32_t place(const WarpLane& owner) { return place_in(owner.smid, owner.warp); }

  SENTINEL_MEMBER Column column(uint64_t seed, uint32_t number, const WarpLane& owner) const {
    return column_at(seed, place(owner), owner.logical(), number);
  }

  SENTINEL_MEMBER void write(uint64_t seed, uint32_t number, const WarpLane& owner) const {
    const Column column = this->column(seed, number, owner);
    for (uint32_t j = 0; j < n_; j++) device::store_cg(word(j, number, owner), column.word(n_, j));
  }

  // Words that were written xor mask; leaves their complement if `rewrites`.
  SENTINEL_MEMBER MarchRead read(uint64_t seed, uint32_t number, const WarpLane& owner, uint32_t mask, bool rewrites,
                                 const ResultTap& tapped, LaneResults& results) const {
    const Column column = this->column(seed, number, owner);
    MarchRead read;
    for (uint32_t first = 0; first < n_; first += kLoadsInFlight) {
      uint32_t found[kLoadsInFlight];
      SENTINEL_UNROLLED
      for (uint32_t k = 0; k < kLoadsInFlight; k++)
        if (first + k < n_) found[k] = device::load_cg(word(first + k, number, owner));
      SENTINEL_UNROLLED
      for (uint32_t k = 0; k < kLoadsInFlight; k++) {
        if (first + k >= n_) break;
        uint32_t* const here = word(first + k, number, owner);
        const uint32_t expected = column.word(n_, first + k) ^ mask, is = tapped(first + k, found[k]);
        read.add(n_, first + k, is, expected);
        if (is != expected) results.note_wrong_word(offset(here));
        if (rewrites) device::store_cg(here, ~expected);
      }
    }
    return read;
  }

 private:
  const uint64_t first_;
  uint32_t* const words_;
  const uint32_t head_, n_;
};

// All threads call, as of take_sm(). Where the regions have no room for a column behind `head` words, no SM is taken.
SENTINEL_DEVICE uint32_t take_region(const LaunchArguments& arguments, uint32_t head) {
  const bool fits = region_words(arguments.arena_bytes, arguments.share) >= head + kRegionRow;
  return take_sm(arguments, fits ? arguments.share : 0);
}

// Iterations 0..95 of hbm and l2. All threads of the block call.
SENTINEL_DEVICE void march_region(const LaunchArguments& arguments, const Region& region, const WarpLane& lane,
                                  LaneResults& results) {
  for (uint32_t number = 0; number < kRegionColumns; number++) region.write(arguments.seed, number, lane);
  for (uint32_t r = 0; r < kMarchReads; r++) {
    device::sync_block();
    for (uint32_t number = 0; number < kRegionColumns; number++) {
      const WarpLane owner = owner_of(lane, number, r);
      const MarchRead read = region.read(arguments.seed, number, owner, mask_of(r), r + 1 < kMarchReads,
                                         results.tap(r * kRegionColumns + number), results);
      add_read(results, read, region.n(), Region::place(owner), r == 1);
      results.end_iteration(r * kRegionColumns + number);
    }
  }
  device::sync_block();
}

}  // namespace sentinel
