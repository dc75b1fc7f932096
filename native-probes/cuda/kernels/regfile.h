// regfile: a march over 240 registers of every thread. Each part of it is a loop of which the compiler cannot know that
// it runs once: what such a loop takes along must lie in registers before it and after it, all 240 words at once. (A
// barrier would not do: the compiler moves arithmetic across.)
#pragma once
#include "../../core/regfile.h"
#include "../skeleton.h"

namespace sentinel {

class RegfileMarch {
 public:
  SENTINEL_MEMBER RegfileMarch(const LaunchArguments& arguments, RegfilePattern pattern)
      : arguments_(arguments), pattern_(pattern) {}

  // What passes the tap is that of register 0 alone, while the others are still free.
  SENTINEL_MEMBER void write(const ResultTap& tapped) {
    uint32_t p = pattern_.first;
    SENTINEL_UNROLLED
    for (uint32_t k = 0; k < kRegfileRegisters; k++, p = pattern_.next(p)) {
      registers_[k] = device::opaque(p);
      if (k == 0) registers_[k] = tapped(k, registers_[k]);
    }
  }

  SENTINEL_MEMBER uint32_t triples() const {
    uint32_t sum = 0;
    SENTINEL_UNROLLED
    for (uint32_t k = 0; k < kRegfileThird; k++)
      sum += registers_[k] ^ registers_[k + kRegfileThird] ^ registers_[k + 2 * kRegfileThird];
    return sum;
  }

  // Upwards; leaves the complement.
  SENTINEL_MEMBER uint32_t read_up(uint32_t digest, uint32_t first) {
    RegfileRead read;
    uint32_t difference = 0;
    do {
      uint32_t expected = first;
      SENTINEL_UNROLLED
      for (uint32_t k = 0; k < kRegfileRegisters; k++) {
        read.add(registers_[k]);
        difference |= registers_[k] ^ expected;
        expected = pattern_.next(registers_[k]);
        registers_[k] = device::opaque(~registers_[k]);
      }
    } while (again());
    return fold(fold(fold(digest, read.sum), read.partial_sums), difference);
  }

  // Downwards, of the complement.
  SENTINEL_MEMBER uint32_t read_down(uint32_t digest, uint32_t first) {
    RegfileRead read;
    uint32_t difference = 0;
    SENTINEL_UNROLLED
    for (uint32_t k = kRegfileRegisters; k-- > 0;) {
      read.add(registers_[k]);
      const uint32_t expected = k > 0 ? pattern_.next(~registers_[k - 1]) : first;
      difference |= registers_[k] ^ ~expected;
    }
    return fold(fold(fold(digest, read.sum), read.partial_sums), difference);
  }

 private:
  SENTINEL_MEMBER bool again() const { return device::opaque(arguments_.zero) != 0; }

  const LaunchArguments& arguments_;
  const RegfilePattern pattern_;
  uint32_t registers_[kRegfileRegisters];
};

// What a lane knows beside the march waits in shared memory: 240 registers leave none for it.
struct ParkedLane {
  uint32_t digest, agreed, iteration, first, triples;
};

// Words of the block: the number of the SM, and which of its warps the small variant plays.
constexpr uint32_t kParkedSmid = 0, kParkedRound = 1, kParkedLanes = 4;

SENTINEL_DEVICE volatile uint32_t* parked_words() { return device::dynamic_shared(); }
SENTINEL_DEVICE volatile ParkedLane& parked() {
  return reinterpret_cast<volatile ParkedLane*>(parked_words() + kParkedLanes)[device::thread()];
}
SENTINEL_DEVICE WarpLane parked_lane() {
  return WarpLane::of(parked_words()[kParkedSmid], warp_in_block() + parked_words()[kParkedRound] * kSmallWarps);
}

SENTINEL_DEVICE void regfile_iteration(const LaunchArguments& arguments) {
  const uint64_t seed = arguments.seed;
  const uint32_t lane = parked_lane().logical(), iteration = parked().iteration;
  const RegfilePattern pattern = regfile_pattern(seed, lane, iteration);
  parked().first = pattern.first;
  RegfileMarch march(arguments, pattern);
  march.write(ResultTap(lane, iteration));
  parked().triples = march.triples();
  const uint32_t up = march.read_up(parked().digest, parked().first);
  parked().digest = fold(up, parked().triples);
  parked().triples = march.triples();
  const uint32_t down = march.read_down(parked().digest, parked().first);
  parked().digest = fold(down, parked().triples);
}

SENTINEL_DEVICE void compare_parked(const LaunchArguments& arguments, uint32_t block) {
  if (parked().agreed == 0 || agrees(arguments, parked_lane(), block, parked().digest)) return;
  report_digest(arguments, parked_lane(), block, parked().digest);
  parked().agreed = 0;
}

SENTINEL_DEVICE void run_parked_warp(const LaunchArguments& arguments) {
  start_warp(arguments, parked_lane());
  parked().digest = 0;
  parked().agreed = 1;
  for (parked().iteration = 0; parked().iteration < arguments.iterations; parked().iteration = parked().iteration + 1) {
    regfile_iteration(arguments);
    if (parked().iteration % kGpuBlock == kGpuBlock - 1) compare_parked(arguments, parked().iteration / kGpuBlock);
  }
  finish_warp(arguments, parked_lane(), parked().digest);
}

// All threads call. Whether there is another round of `rounds`.
SENTINEL_DEVICE bool next_round(uint32_t rounds) {
  device::sync_block();
  const uint32_t next = parked_words()[kParkedRound] + 1;
  device::sync_block();
  if (device::thread() == 0) parked_words()[kParkedRound] = next;
  device::sync_block();
  return next < rounds;
}

template <uint32_t kWarps>
SENTINEL_DEVICE void run_regfile(const LaunchArguments& arguments) {
  if (take_sm(arguments) == kNoSm) return device::hold(arguments.hold_ns);
  if (device::thread() == 0) parked_words()[kParkedRound] = 0;
  device::sync_block();
  // A loop for both variants: what the compiler takes out of it where it runs once costs registers.
  do run_parked_warp(arguments);
  while (next_round(kFullWarps / kWarps + arguments.zero));
  finish_sm(arguments, parked_words()[kParkedSmid]);
}

}  // namespace sentinel

SENTINEL_BOTH_KERNELS(regfile, sentinel::run_regfile)
