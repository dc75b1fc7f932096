// The kernels that the fake GPU can run: the product's own sources, compiled for this CPU, as the release has them and as
// the test build has them.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <string>

#include "block.h"

namespace sentinel::fake {

enum class KernelSet { kRelease, kTest };

struct KernelEntry {
  KernelEntry(KernelSet set, const char* name, uint32_t threads, size_t argument_bytes, Kernel run);

  const char* name;
  uint32_t threads;  // that a block has at most
  size_t argument_bytes;
  Kernel run;
};

// Null if there is none of this name.
const KernelEntry* find_kernel(KernelSet set, const std::string& name);

}  // namespace sentinel::fake

#ifndef SENTINEL_KERNEL_SET
#define SENTINEL_KERNEL_SET kRelease
#endif

// In the sources of the kernels: a function of this CPU, and its entry in the table.
#define SENTINEL_KERNEL(name, threads)                                                                   \
  static void name(const sentinel::LaunchArguments arguments);                                           \
  static const sentinel::fake::KernelEntry entry_of_##name(                                              \
      sentinel::fake::KernelSet::SENTINEL_KERNEL_SET, #name, threads, sizeof(sentinel::LaunchArguments), \
      [](const void* bytes) {                                                                            \
        sentinel::LaunchArguments arguments;                                                             \
        memcpy(&arguments, bytes, sizeof arguments);                                                     \
        name(arguments);                                                                                 \
      });                                                                                                \
  static void name(const sentinel::LaunchArguments arguments)
