// What the host hands to a probe kernel, and what the kernel leaves behind: the only layout that both sides share. One
// kernel per family and variant takes one LaunchArguments by value. All addresses are device addresses; tables are
// indexed by %smid and have `slots` entries (%nsmid, which may exceed the number of SMs). Warps are those of the full
// variant: warp w of the small one plays w and then w + 4. Both variants need at least 4 bytes of dynamic shared memory.
#pragma once
#include "../core/families.h"

namespace sentinel {

constexpr uint32_t kWarpLanes = 32;
constexpr uint32_t kFullWarps = 8;    // of a block: two per sub-partition
constexpr uint32_t kWarpsPerGroup = kFullWarps / kGpuGroups;
constexpr uint32_t kSmallWarps = 4;   // under MPS: 128 threads and at most 8 KiB of shared memory
constexpr uint32_t kMostMismatches = 256;
constexpr uint32_t kMostBlocks = 64;  // of 32 iterations

// Every output buffer (but the count of a MismatchTable) is filled with this byte before a launch, so that what a kernel did not write is seen.
constexpr uint8_t kPoison = 0xa5;

struct LaunchArguments {
  uint64_t seed;
  uint64_t claims;      // u32[slots]: the ticket of the last launch that an SM took part in
  uint64_t records;     // SmRecord[slots]
  uint64_t golden;      // u32[blocks][kGpuLanes]: running digests after each 32 iterations; 0 = nothing to compare with
  uint64_t running;     // u32[slots][kFullWarps][blocks][32]: what each warp computed; written where nothing is compared
  uint64_t digests;     // u32[slots][kFullWarps][32]: final digest of each lane of each warp
  uint64_t mismatches;  // MismatchTable
  uint64_t arena;       // memory for smem-free families l2, hbm, copy
  uint64_t arena_bytes;
  uint64_t results;     // sfu: u32[slots][kGpuBlock][kSfuResultWords][32], those of sfu_sample(seed); 0 = not wanted
  uint32_t ticket;      // of this launch: greater than that of every launch before; relaunches of missing SMs repeat it
  uint32_t slots;
  uint32_t iterations;
  uint32_t hold_ns;     // a block that found its SM taken holds its place so long, so that the next one goes elsewhere
  uint32_t share;       // SMs among which the arena is divided
  uint32_t zero;        // always 0, which a compiler cannot know
};
static_assert(sizeof(LaunchArguments) == 104, "one layout for host and device");

// Written by the block that took the ticket of its SM.
struct SmRecord {
  uint32_t ticket;
  uint32_t first_smid, last_smid;  // %smid at start and end: a change discards the record
  uint32_t warps;                  // bit w = warp w finished; the small variant's four warps play two each
  uint32_t mismatches;             // (warp, lane) pairs that disagreed with the golden
  uint32_t warp_ids[kFullWarps];   // %warpid: its sub-partition is warpid mod 4
  uint32_t nsmid;                  // %nsmid: what `slots` must be at least
  uint64_t start_ns, end_ns;       // %globaltimer
};
static_assert(sizeof(SmRecord) == 72, "one layout for host and device");

// Of the first disagreement of a lane of a warp.
struct MismatchRecord {
  uint32_t smid, warp, warp_id, lane;  // lane: logical, 0..63
  uint32_t block;                      // the wrong result lies in iterations 32 block .. 32 block + 31
  uint32_t expected, actual;           // running digests; memory families: the words
  uint32_t has_address;
  uint64_t address;                    // memory families: byte offset in the shared memory or arena
};
static_assert(sizeof(MismatchRecord) == 40, "one layout for host and device");

struct MismatchTable {
  uint32_t count;  // 0 before a launch; may exceed kMostMismatches: what did not fit is counted
  uint32_t reserved;
  MismatchRecord entries[kMostMismatches];
};

}  // namespace sentinel
