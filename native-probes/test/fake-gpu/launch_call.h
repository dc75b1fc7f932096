#pragma once
#include "machine.h"

namespace sentinel::fake {

struct LaunchRequest {
  Function* function;
  unsigned grid[3], block[3];
  unsigned shared_bytes;
  void** arguments;
  void** extra;
};

// Checks what a launch asks for and copies its arguments, whose sizes the cubin knows.
int make_call(const LaunchRequest& request, KernelCall& call);

}  // namespace sentinel::fake
