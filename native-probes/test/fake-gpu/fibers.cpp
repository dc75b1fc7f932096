#include "fibers.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "config.h"

// Saves the callee-saved registers on the stack, stores the stack pointer in *from, and goes on where `to` was left.
extern "C" void sentinel_fake_switch(void** from, void* to);
asm(R"(
.text
.p2align 4
.type sentinel_fake_switch, @function
sentinel_fake_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size sentinel_fake_switch, . - sentinel_fake_switch
)");

namespace sentinel::fake {
namespace {

constexpr size_t kStackBytes = 64 * 1024;
constexpr size_t kGuardBytes = 4096;
constexpr size_t kSavedRegisters = 6;

struct Fiber {
  void* stack_pointer;
  const uint32_t* waits_for;  // runs again when *waits_for is no longer `seen`; null: runs
  uint32_t seen;
  bool ended;
};

struct Run {
  Fiber fibers[kMostFibers];
  uint32_t count, current;
  void (*body)(uint32_t);
  void* caller;
  FiberOutcome outcome;
  const void* where;
};

Run run;

uint8_t* stacks() {
  static uint8_t* const mapping = [] {
    void* memory = mmap(nullptr, kMostFibers * kStackBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) give_up("no memory for stacks");
    for (uint32_t i = 0; i < kMostFibers; i++) {
      mprotect(static_cast<uint8_t*>(memory) + i * kStackBytes, kGuardBytes, PROT_NONE);
    }
    return static_cast<uint8_t*>(memory);
  }();
  return mapping;
}

bool ready(const Fiber& fiber) {
  return !fiber.ended && (fiber.waits_for == nullptr || *fiber.waits_for != fiber.seen);
}

[[noreturn]] void return_to_caller(FiberOutcome outcome) {
  run.outcome = outcome;
  void* abandoned;
  sentinel_fake_switch(&abandoned, run.caller);
  __builtin_unreachable();
}

// Back here when it is this fiber's turn again.
void next_turn() {
  Fiber& self = run.fibers[run.current];
  bool all_ended = true;
  for (uint32_t step = 1; step <= run.count; step++) {
    const uint32_t next = (run.current + step) % run.count;
    Fiber& fiber = run.fibers[next];
    all_ended = all_ended && fiber.ended;
    if (!ready(fiber)) continue;
    if (next == run.current) return;
    run.current = next;
    sentinel_fake_switch(&self.stack_pointer, fiber.stack_pointer);
    return;
  }
  return_to_caller(all_ended ? FiberOutcome::kDone : FiberOutcome::kDeadlock);
}

void fiber_main() {
  run.body(run.current);
  run.fibers[run.current].ended = true;
  next_turn();
}

void prepare(uint32_t index) {
  uint8_t* top = stacks() + (index + 1) * kStackBytes;
  // As after a call: the stack pointer is 8 bytes off a multiple of 16 when fiber_main starts.
  void** frame = reinterpret_cast<void**>(top) - 2 - kSavedRegisters;
  memset(frame, 0, kSavedRegisters * sizeof(void*));
  frame[kSavedRegisters] = reinterpret_cast<void*>(fiber_main);
  run.fibers[index] = {frame, nullptr, 0, false};
}

void on_segmentation(int, siginfo_t* info, void*) { abandon_fibers(info->si_addr); }

// For the time of a run. The handler never returns, so the signal must not stay blocked.
class SegmentationHandler {
 public:
  SegmentationHandler() {
    struct sigaction action = {};
    action.sa_sigaction = on_segmentation;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGSEGV, &action, &segmentation_);
    sigaction(SIGBUS, &action, &bus_);
  }
  ~SegmentationHandler() {
    sigaction(SIGSEGV, &segmentation_, nullptr);
    sigaction(SIGBUS, &bus_, nullptr);
  }

 private:
  struct sigaction segmentation_, bus_;
};

}  // namespace

FiberOutcome run_fibers(uint32_t count, void (*body)(uint32_t), const void** where) {
  if (count == 0 || count > kMostFibers) give_up("a block of no or too many threads");
  for (uint32_t i = 0; i < count; i++) prepare(i);
  run.count = count;
  run.current = 0;
  run.body = body;
  const SegmentationHandler handler;
  sentinel_fake_switch(&run.caller, run.fibers[0].stack_pointer);
  *where = run.where;
  return run.outcome;
}

void abandon_fibers(const void* where) {
  run.where = where;
  return_to_caller(FiberOutcome::kSegmentation);
}

uint32_t current_fiber() { return run.current; }

void Barrier::set_size(uint32_t fibers) {
  size_ = fibers;
  arrived_ = 0;
}

void Barrier::open() {
  arrived_ = 0;
  generation_++;
}

void Barrier::wait() {
  if (++arrived_ == size_) return open();
  Fiber& self = run.fibers[run.current];
  self.waits_for = &generation_;
  self.seen = generation_;
  next_turn();
  self.waits_for = nullptr;
}

void Barrier::leave() {
  if (--size_ == arrived_ && size_ != 0) open();
}

}  // namespace sentinel::fake
