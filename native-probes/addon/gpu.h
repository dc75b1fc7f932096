// gpuCensus, gpuOpen, gpuExecute and gpuKnownAnswers of the native surface.
#pragma once
#include <node_api.h>

namespace sentinel {

void export_gpu_surface(napi_env env, napi_value exports);

}  // namespace sentinel
