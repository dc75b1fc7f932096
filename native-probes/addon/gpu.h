// gpuCensus, gpuOpen, gpuExecute and gpuKnownAnswers of the native surface.
#pragma once
#include "../cuda/gpu.h"
#include "values.h"

namespace sentinel {

// The GPU that this process opened; null before.
cuda::Gpu* opened_gpu();

bool gpu_family_from(Arguments& arguments, Family& out);

void export_gpu_surface(napi_env env, napi_value exports);

}  // namespace sentinel
