// The embedded kernels in a context, each with the launch that puts one block on every SM.
#pragma once
#include "census.h"
#include "launcher.h"

namespace sentinel::cuda {

enum class Variant { kFull, kSmall };

Error load_module(const Session& session, const GpuDevice& device, CUmodule& out);

// A null function where the module has no kernel of that family.
Error find_kernel(const Session& session, const GpuDevice& device, CUmodule module, const char* family, Variant variant,
                  Kernel& out);

}  // namespace sentinel::cuda
