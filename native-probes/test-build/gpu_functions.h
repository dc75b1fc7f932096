// What tests ask of the GPU families without a GPU: gpuGolden, gpuResults, sfuOperands,
// sfuViolations, copyCheck.
#pragma once
#include <node_api.h>

namespace sentinel {

void export_gpu_functions(napi_env env, napi_value exports);

}  // namespace sentinel
