// What all kernels have in common: one block per SM takes the launch's ticket; what its warps compute is compared with
// the golden on the device, and only a disagreement leaves details behind.
#pragma once
#include <device.h>
#include <result_tap.h>

#include "../core/fold.h"
#include "launch.h"

namespace sentinel {

constexpr uint32_t kNoSm = 0xffffffffu;

template <typename T>
SENTINEL_DEVICE T* table(uint64_t address) {
  return device::global<T>(address);
}

SENTINEL_DEVICE SmRecord* record_of(const LaunchArguments& arguments, uint32_t smid) {
  return table<SmRecord>(arguments.records) + smid;
}

SENTINEL_DEVICE uint32_t lane_in_warp() { return device::thread() % kWarpLanes; }
SENTINEL_DEVICE uint32_t warp_in_block() { return device::thread() / kWarpLanes; }

// One thread calls. Tickets only grow: where the swap fails, another block was faster.
SENTINEL_DEVICE bool take_ticket(const LaunchArguments& arguments, uint32_t smid) {
  uint32_t* claim = table<uint32_t>(arguments.claims) + smid;
  const uint32_t last = device::load_cg(claim);
  return last < arguments.ticket && device::compare_and_swap(claim, last, arguments.ticket) == last;
}

// All threads call. The SM that this block tests, alike for all threads even if the block is moved meanwhile; kNoSm if
// another block tests it, or has tested it in an earlier launch with this ticket, or its number is not below `limit`.
SENTINEL_DEVICE uint32_t take_sm(const LaunchArguments& arguments, uint32_t limit) {
  uint32_t* shared = device::dynamic_shared();
  if (device::thread() == 0) {
    const uint32_t smid = device::smid();
    const bool taken = smid < limit && take_ticket(arguments, smid);
    *shared = taken ? smid : kNoSm;
    if (taken) {
      SmRecord* record = record_of(arguments, smid);
      record->first_smid = smid;
      record->warps = 0;
      record->mismatches = 0;
      record->start_ns = device::global_timer();
    }
  }
  device::sync_block();
  const uint32_t smid = *shared;
  device::sync_block();
  return smid;
}

SENTINEL_DEVICE uint32_t take_sm(const LaunchArguments& arguments) { return take_sm(arguments, arguments.slots); }

// All threads of a block that has taken its SM call, as the last thing they do.
SENTINEL_DEVICE void finish_sm(const LaunchArguments& arguments, uint32_t smid) {
  device::sync_block();
  if (device::thread() != 0) return;
  SmRecord* record = record_of(arguments, smid);
  record->end_ns = device::global_timer();
  record->last_smid = device::smid();
  record->nsmid = device::nsmid();
  record->ticket = arguments.ticket;
}

// Details of the first disagreement of a lane of a warp; what does not fit in the table is counted.
SENTINEL_DEVICE void report_mismatch(const LaunchArguments& arguments, const MismatchRecord& mismatch) {
  device::atomic_add(&record_of(arguments, mismatch.smid)->mismatches, 1);
  MismatchTable* mismatches = table<MismatchTable>(arguments.mismatches);
  const uint32_t place = device::atomic_add(&mismatches->count, 1);
  if (place < kMostMismatches) mismatches->entries[place] = mismatch;
}

// A warp of the full variant, as a lane of it sees it. The small variant's warps play two of them, one after the other.
struct WarpLane {
  uint32_t smid;
  uint32_t warp;   // 0..7
  uint32_t place;  // in the warp, 0..31

  SENTINEL_DEVICE WarpLane of(uint32_t smid, uint32_t warp) { return {smid, warp, lane_in_warp()}; }
  SENTINEL_MEMBER uint32_t logical() const { return warp / kWarpsPerGroup * kWarpLanes + place; }
  SENTINEL_MEMBER uint32_t row() const { return smid * kFullWarps + warp; }
};

SENTINEL_DEVICE void start_warp(const LaunchArguments& arguments, const WarpLane& lane) {
  if (lane.place == 0) record_of(arguments, lane.smid)->warp_ids[lane.warp] = device::warp_id();
}

SENTINEL_DEVICE void finish_warp(const LaunchArguments& arguments, const WarpLane& lane, uint32_t digest) {
  table<uint32_t>(arguments.digests)[lane.row() * kWarpLanes + lane.place] = digest;
  device::sync_warp();
  if (lane.place == 0) device::atomic_or(&record_of(arguments, lane.smid)->warps, 1u << lane.warp);
}

// Compares the running digest after a block of iterations, or hands it out where there is nothing to compare it with.
SENTINEL_DEVICE bool agrees(const LaunchArguments& arguments, const WarpLane& lane, uint32_t block, uint32_t digest) {
  if (arguments.golden == 0) {
    const uint32_t blocks = arguments.iterations / kGpuBlock;
    table<uint32_t>(arguments.running)[(lane.row() * blocks + block) * kWarpLanes + lane.place] = digest;
    return true;
  }
  return table<const uint32_t>(arguments.golden)[block * kGpuLanes + lane.logical()] == digest;
}

SENTINEL_DEVICE void report_digest(const LaunchArguments& arguments, const WarpLane& lane, uint32_t block,
                                   uint32_t digest, bool has_address = false, uint64_t address = 0) {
  MismatchRecord mismatch = {};
  mismatch.smid = lane.smid;
  mismatch.warp = lane.warp;
  mismatch.warp_id = device::warp_id();
  mismatch.lane = lane.logical();
  mismatch.block = block;
  mismatch.expected = table<const uint32_t>(arguments.golden)[block * kGpuLanes + mismatch.lane];
  mismatch.actual = digest;
  mismatch.has_address = has_address;
  mismatch.address = address;
  report_mismatch(arguments, mismatch);
}

// The results of one lane of a warp, as they come. The address that a memory family notes is that of its first wrong word.
class LaneResults {
 public:
  SENTINEL_MEMBER LaneResults(const LaunchArguments& arguments, const WarpLane& lane)
      : arguments_(arguments), lane_(lane) {
    start_warp(arguments, lane);
  }

  SENTINEL_MEMBER ResultTap tap(uint32_t iteration) const { return ResultTap(lane_.logical(), iteration); }

  SENTINEL_MEMBER void add(uint32_t word) { digest_ = fold(digest_, word); }

  SENTINEL_MEMBER void note_wrong_word(uint64_t byte_offset) {
    if (!has_address_) address_ = byte_offset;
    has_address_ = true;
  }

  SENTINEL_MEMBER void end_iteration(uint32_t iteration) {
    if (iteration % kGpuBlock != kGpuBlock - 1 || !agreed_) return;
    if (agrees(arguments_, lane_, iteration / kGpuBlock, digest_)) return;
    agreed_ = false;
    report_digest(arguments_, lane_, iteration / kGpuBlock, digest_, has_address_, address_);
  }

  SENTINEL_MEMBER void finish() const { finish_warp(arguments_, lane_, digest_); }

  SENTINEL_MEMBER uint32_t digest() const { return digest_; }
  SENTINEL_MEMBER void replace_digest(uint32_t digest) { digest_ = digest; }

 private:
  const LaunchArguments& arguments_;
  const WarpLane lane_;
  uint32_t digest_ = 0;
  bool agreed_ = true;
  bool has_address_ = false;
  uint64_t address_ = 0;
};

// Unit: static uint32_t iterate(seed, logical lane, iteration, digest), which folds the results of one iteration.
template <class Unit>
struct FoldingUnit {
  SENTINEL_DEVICE void run_warp(const LaunchArguments& arguments, const WarpLane& lane) {
    LaneResults results(arguments, lane);
    SENTINEL_ROLLED
    for (uint32_t iteration = 0; iteration < arguments.iterations; iteration++) {
      results.replace_digest(Unit::iterate(arguments.seed, lane.logical(), iteration, results.digest()));
      results.end_iteration(iteration);
    }
    results.finish();
  }
};

// Unit: static void run_warp(arguments, lane), all that a warp does.
template <class Unit>
struct WarpKernel {
  // kWarps = warps of the block.
  template <uint32_t kWarps>
  SENTINEL_DEVICE void run(const LaunchArguments& arguments) {
    const uint32_t smid = take_sm(arguments);
    if (smid == kNoSm) return device::hold(arguments.hold_ns);
    for (uint32_t warp = warp_in_block(); warp < kFullWarps; warp += kWarps)
      Unit::run_warp(arguments, WarpLane::of(smid, warp));
    finish_sm(arguments, smid);
  }
};

}  // namespace sentinel

// Both variants of a family: run<warps of the block>(arguments).
#define SENTINEL_BOTH_KERNELS(family, ...)                                                  \
  SENTINEL_KERNEL(sentinel_##family, sentinel::kFullWarps* sentinel::kWarpLanes) {          \
    __VA_ARGS__<sentinel::kFullWarps>(arguments);                                           \
  }                                                                                         \
  SENTINEL_KERNEL(sentinel_##family##_small, sentinel::kSmallWarps* sentinel::kWarpLanes) { \
    __VA_ARGS__<sentinel::kSmallWarps>(arguments);                                          \
  }

// Of a family whose warps compute alone.
#define SENTINEL_WARP_KERNELS(family, ...) SENTINEL_BOTH_KERNELS(family, sentinel::WarpKernel<__VA_ARGS__>::run)

// Of a family whose lanes compute alone, or with their warp.
#define SENTINEL_LANE_KERNELS(family, ...) SENTINEL_WARP_KERNELS(family, sentinel::FoldingUnit<__VA_ARGS__>)
