// One block of a kernel while it runs on an SM of a fake GPU: what the functions of the fake <device.h> stand on.
#pragma once
#include <string>
#include <vector>

#include "faults.h"
#include "fibers.h"
#include "memory.h"

namespace sentinel::fake {

constexpr uint32_t kWarpSize = 32;
constexpr uint32_t kMostExchanged = 64;  // bytes of a thread that one collective makes known to its warp

// A kernel as the table of kernels has it: takes the bytes of its arguments.
using Kernel = void (*)(const void* arguments);

struct BlockPlace {
  uint32_t smid, nsmid;
  uint32_t block, blocks, threads;
  uint32_t shared_bytes;
};

constexpr uint32_t kAny = UINT32_MAX;

// Results that are wrong: of every n-th operation that the filters let through.
struct WrongResult {
  uint32_t unit, warp, subpartition, lane;  // or kAny
  uint64_t flipped;
  uint64_t every, seen;
};

// Bits of a byte that read as they are stuck, whatever was written.
struct StuckBits {
  uint8_t mask = 0, value = 0;
  uintptr_t place = 0;
};

// The faults of one launch on one SM, looked up once.
struct SmFaults {
  std::vector<WrongResult> wrong;
  uint32_t says_smid = 0, says_from_read = UINT32_MAX;
  bool claim_broken = false;
  StuckBits stuck_memory;  // place: a pointer
  StuckBits stuck_shared;  // an offset in the block's shared memory
};

struct BlockOutcome {
  bool illegal_address = false;
  bool deadlock = false;
  uint64_t held_ns = 0;  // what its threads wanted to wait: time passes for the SM, not for the test
};

// Runs the block to its end. `variable`: of the kernel's module, if it has one that it uses.
BlockOutcome run_block(const BlockPlace& place, SmFaults& faults, const DeviceMemory& memory, Kernel kernel,
                       const void* arguments, void* variable);

// ---- what a thread of the running block asks

const BlockPlace& place();
uint32_t thread_index();
inline uint32_t lane_index() { return thread_index() % kWarpSize; }
uint32_t read_smid();
uint8_t* shared_memory();
void hold_for(uint64_t ns);
bool claim_is_broken();

void block_barrier();
void warp_barrier();
// True if any thread of the block says so.
bool block_any(bool predicate);

// Makes `bytes` of every thread of the warp known to all of them: the result is an array of 32 entries of
// kMostExchanged bytes, valid until the thread's second next exchange.
const uint8_t* exchange(const void* mine, uint32_t bytes);

template <class Value>
struct WarpView {
  const uint8_t* entries;
  const Value& operator[](uint32_t lane) const {
    return *reinterpret_cast<const Value*>(entries + lane * kMostExchanged);
  }
};

template <class Value>
WarpView<Value> exchanged(const Value& mine) {
  static_assert(sizeof(Value) <= kMostExchanged);
  return {exchange(&mine, sizeof(Value))};
}

// The variable of the module to which the kernel belongs.
void* module_variable();

// The host's pointer to a device address. Ends the block with an illegal address if no allocation has it.
void* global_memory(uint64_t address);

// Results of a unit and words from memory pass through here.
uint64_t faulty_result(Unit unit, uint64_t value);
extern bool any_wrong_result;
inline uint64_t result(Unit unit, uint64_t value) { return any_wrong_result ? faulty_result(unit, value) : value; }

// A word that was found at this place, of the GPU's memory or of shared memory.
uint32_t faulty_load(const void* place_of_word, uint32_t word);
extern bool any_wrong_load;
inline uint32_t loaded(const void* place_of_word, uint32_t word) {
  return any_wrong_load ? faulty_load(place_of_word, word) : word;
}

}  // namespace sentinel::fake
