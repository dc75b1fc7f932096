#include "block.h"

#include <string.h>
#include <sys/mman.h>

namespace sentinel::fake {
namespace {

constexpr uint32_t kMostWarps = kMostFibers / kWarpSize;
constexpr size_t kMostSharedBytes = 256 * 1024;
constexpr int kSharedPoison = 0xdb;

struct Warp {
  Barrier barrier;
  alignas(64) uint8_t exchanged[2][kWarpSize][kMostExchanged];
};

struct Running {
  BlockPlace place;
  SmFaults* faults;
  const DeviceMemory* memory;
  Kernel kernel;
  const void* arguments;
  void* variable;
  Barrier barrier;
  Warp warps[kMostWarps];
  bool second_buffer[kMostFibers];
  uint32_t any_votes, any_voted;
  bool any_result;
  uint32_t smid_reads;
  uint64_t held_ns;
};

Running running;

// So that a kernel which runs over its end is caught: the last byte lies before a page that nobody may touch.
uint8_t* shared_end() {
  static uint8_t* const end = [] {
    void* mapping = mmap(nullptr, kMostSharedBytes + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) give_up("no memory for shared memory");
    mprotect(mapping, kMostSharedBytes, PROT_READ | PROT_WRITE);
    return static_cast<uint8_t*>(mapping) + kMostSharedBytes;
  }();
  return end;
}

void run_thread(uint32_t fiber) {
  running.kernel(running.arguments);
  running.warps[fiber / kWarpSize].barrier.leave();
  running.barrier.leave();
}

void prepare_barriers(uint32_t threads) {
  running.barrier.set_size(threads);
  for (uint32_t first = 0; first < threads; first += kWarpSize) {
    running.warps[first / kWarpSize].barrier.set_size(threads - first < kWarpSize ? threads - first : kWarpSize);
  }
}

bool is(uint32_t wanted, uint32_t value) { return wanted == kAny || wanted == value; }

bool strikes(WrongResult& wrong, Unit unit) {
  const uint32_t warp = thread_index() / kWarpSize;
  if (!is(wrong.unit, static_cast<uint32_t>(unit)) || !is(wrong.lane, lane_index())) return false;
  return is(wrong.warp, warp) && is(wrong.subpartition, warp % 4) && ++wrong.seen % wrong.every == 0;
}

uint32_t with_stuck_bits(const StuckBits& stuck, uintptr_t at, uint32_t word) {
  if (stuck.mask == 0 || stuck.place < at || stuck.place >= at + sizeof word) return word;
  const uint32_t shift = static_cast<uint32_t>(stuck.place - at) * 8;
  return (word & ~(uint32_t{stuck.mask} << shift)) | uint32_t{stuck.value} << shift;
}

}  // namespace

bool any_wrong_result = false;
bool any_wrong_load = false;

BlockOutcome run_block(const BlockPlace& place, SmFaults& faults, const DeviceMemory& memory, Kernel kernel,
                       const void* arguments, void* variable) {
  if (place.shared_bytes > kMostSharedBytes) give_up("more shared memory than any GPU has");
  running.place = place;
  running.faults = &faults;
  running.memory = &memory;
  running.kernel = kernel;
  running.arguments = arguments;
  running.variable = variable;
  running.any_votes = running.smid_reads = 0;
  running.held_ns = 0;
  memset(running.second_buffer, 0, sizeof running.second_buffer);
  prepare_barriers(place.threads);
  memset(shared_memory(), kSharedPoison, place.shared_bytes);
  any_wrong_result = !faults.wrong.empty();
  any_wrong_load = any_wrong_result || faults.stuck_memory.mask != 0 || faults.stuck_shared.mask != 0;
  const void* where = nullptr;
  const FiberOutcome outcome = run_fibers(place.threads, run_thread, &where);
  return {outcome == FiberOutcome::kSegmentation, outcome == FiberOutcome::kDeadlock, running.held_ns};
}

const BlockPlace& place() { return running.place; }

uint32_t thread_index() { return current_fiber(); }

uint32_t read_smid() {
  return ++running.smid_reads >= running.faults->says_from_read ? running.faults->says_smid : running.place.smid;
}

uint8_t* shared_memory() { return shared_end() - (running.place.shared_bytes + 1023) / 1024 * 1024; }

void hold_for(uint64_t ns) {
  if (ns > running.held_ns) running.held_ns = ns;
}

bool claim_is_broken() { return running.faults->claim_broken; }

void block_barrier() { running.barrier.wait(); }

void warp_barrier() { running.warps[thread_index() / kWarpSize].barrier.wait(); }

bool block_any(bool predicate) {
  if (running.any_voted++ == 0) running.any_votes = 0;
  running.any_votes += predicate ? 1 : 0;
  block_barrier();
  const bool any = running.any_votes != 0;
  running.any_voted = 0;
  block_barrier();
  return any;
}

const uint8_t* exchange(const void* mine, uint32_t bytes) {
  const uint32_t thread = thread_index();
  Warp& warp = running.warps[thread / kWarpSize];
  // Two buffers by turns: nobody can be more than one collective ahead of the slowest lane.
  auto& buffer = warp.exchanged[running.second_buffer[thread] ? 1 : 0];
  running.second_buffer[thread] = !running.second_buffer[thread];
  memcpy(buffer[thread % kWarpSize], mine, bytes);
  warp.barrier.wait();
  return buffer[0];
}

void* module_variable() { return running.variable; }

void* global_memory(uint64_t address) {
  uint8_t* found = running.memory->locate(address, 1);
  if (found == nullptr) abandon_fibers(nullptr);
  return found;
}

uint64_t faulty_result(Unit unit, uint64_t value) {
  for (WrongResult& wrong : running.faults->wrong) {
    if (strikes(wrong, unit)) value ^= wrong.flipped;
  }
  return value;
}

uint32_t faulty_load(const void* place_of_word, uint32_t word) {
  const uintptr_t at = reinterpret_cast<uintptr_t>(place_of_word);
  const uintptr_t shared = reinterpret_cast<uintptr_t>(shared_memory());
  const bool is_shared = at >= shared && at < shared + running.place.shared_bytes;
  const uint32_t found = is_shared ? with_stuck_bits(running.faults->stuck_shared, at - shared, word)
                                   : with_stuck_bits(running.faults->stuck_memory, at, word);
  return static_cast<uint32_t>(result(is_shared ? Unit::kShared : Unit::kMemory, found));
}

}  // namespace sentinel::fake
