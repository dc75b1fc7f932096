// The threads of one block as fibers of the calling thread, each on a stack of its own: they take turns where the GPU's
// threads would wait for each other.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace sentinel::fake {

constexpr uint32_t kMostFibers = 1024;

enum class FiberOutcome { kDone, kDeadlock, kSegmentation };

// Runs body(0), …, body(count - 1), each to its next wait, in this order and round again. One call at a time.
// kSegmentation: a fiber touched memory that is not mapped, at `where`; the others are given up.
FiberOutcome run_fibers(uint32_t count, void (*body)(uint32_t fiber), const void** where);

uint32_t current_fiber();

// The current fiber touched what it may not: ends the run as if the processor had seen it.
[[noreturn]] void abandon_fibers(const void* where);

// What fibers wait for each other at; those that have ended are not waited for.
class Barrier {
 public:
  void set_size(uint32_t fibers);
  // A fiber of the barrier calls.
  void wait();
  void leave();

 private:
  void open();

  uint32_t size_ = 0, arrived_ = 0, generation_ = 0;
};

}  // namespace sentinel::fake
