// How the AVX-512 objects of the test build reach the FaultTap: through a function pointer. What the standard
// library defines inline must not be compiled for AVX-512, since the linker might keep that copy for everybody.
#pragma once
#include "../cpu/tap.h"
#include "../cpu/unit.h"

namespace sentinel::injection {

// Both functions may change one of eight words.
struct WideFault {
  void* self;
  void (*operand)(void* self, Operand which, uint32_t* words);
  void (*result)(void* self, ResultKind kind, uint32_t* words);
};

UnitOutcome run_fma16_falsified(const UnitJob& job, WideFault fault);
UnitOutcome run_cpu_bf16_falsified(const UnitJob& job, bool tiles, WideFault fault);

}  // namespace sentinel::injection
