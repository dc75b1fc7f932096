#include "kernels.h"

#include <embedded_kernels.inc>
#include <string.h>

namespace sentinel {

struct FamilyInstructions {
  Family family;
  const char* architecture;
  const char* names;
};

#include "../build/generated/gpu_instructions.inc"

// An architecture whose name ends with "a" has instructions that no other one promises to have.
static bool runs_on(const EmbeddedKernels& kernels, int major, int minor) {
  const bool exact = kernels.architecture[strlen(kernels.architecture) - 1] == 'a';
  return kernels.major == major && (exact ? kernels.minor == minor : kernels.minor <= minor);
}

bool has_kernels() { return kEmbeddedCount > 0; }

const EmbeddedKernels* kernels_for(int major, int minor) {
  const EmbeddedKernels* best = nullptr;
  for (size_t i = 0; i < kEmbeddedCount; i++) {
    const EmbeddedKernels& kernels = kEmbedded[i];
    if (runs_on(kernels, major, minor) && (best == nullptr || kernels.minor > best->minor)) best = &kernels;
  }
  return best;
}

const char* instructions_of(Family family, const char* architecture) {
  for (const FamilyInstructions& row : kInstructions) {
    if (row.family == family && strcmp(row.architecture, architecture) == 0) return row.names;
  }
  return nullptr;
}

}  // namespace sentinel
