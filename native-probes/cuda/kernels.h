// The kernels that are part of this addon: one cubin per architecture. A build without the CUDA toolchain has none.
#pragma once
#include <stddef.h>

#include "../core/families.h"

namespace sentinel {

struct EmbeddedKernels {
  const char* architecture;  // as the compiler calls it, for example "sm_90a"
  int major, minor;          // compute capability that it was compiled for
  const void* image;         // ELF, in memory for as long as the addon is
  size_t size;               // bytes
};

bool has_kernels();

// For a device of this compute capability: of the same major version and the highest minor that it can run. Null where
// there are none for it.
const EmbeddedKernels* kernels_for(int major, int minor);

// The SASS instructions that the kernels of a family consist of in an architecture, separated by spaces. Null where the
// architecture has no kernel of it.
const char* instructions_of(Family family, const char* architecture);

}  // namespace sentinel
