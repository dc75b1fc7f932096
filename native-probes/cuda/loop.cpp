#include "loop.h"

#include "gpu_families.h"

namespace sentinel::cuda {

Error Loop::open(Family family, uint32_t slots) {
  if (const Error error = session_.open(0)) return error;
  CUmodule module = nullptr;
  if (const Error error = load_module(session_, device_, module)) return error;
  if (const Error error = find_kernel(session_, device_, module, gpu_family_name(family), Variant::kFull, kernel_))
    return error;
  if (kernel_.function == nullptr) return {kNotFound, "cuModuleGetFunction"};
  arguments_.iterations = gpu_shape_of(family).iterations;
  return take_memory(slots);
}

Error Loop::take_memory(uint32_t slots) {
  const TableLayout layout = table_layout(slots);
  const size_t bytes = layout.bytes + running_bytes(slots, arguments_.iterations / kGpuBlock);
  CUdeviceptr base = 0;
  if (const Error error = SENTINEL_CUDA_CALL(session_.api(), cuMemAlloc_v2, &base, bytes)) return error;
  arguments_.claims = base + layout.claims;
  arguments_.records = base + layout.records;
  arguments_.digests = base + layout.digests;
  arguments_.mismatches = base + layout.mismatches;
  arguments_.running = base + layout.bytes;
  arguments_.slots = slots;
  arguments_.share = 1;
  if (const Error error = SENTINEL_CUDA_CALL(session_.api(), cuMemsetD8Async, base, 0, bytes, session_.stream()))
    return error;
  return session_.finish();
}

Error Loop::begin(uint32_t launches) {
  const Driver& api = session_.api();
  if (const Error error = session_.enter()) return error;
  if (const Error error = SENTINEL_CUDA_CALL(api, cuEventRecord, session_.started(), session_.stream())) return error;
  for (uint32_t k = 0; k < launches; k++) {
    arguments_.ticket++;
    void* parameters[] = {&arguments_};
    if (const Error error =
            SENTINEL_CUDA_CALL(api, cuLaunchKernel, kernel_.function, kernel_.blocks, 1, 1, kernel_.threads, 1, 1,
                               kernel_.shared_bytes, session_.stream(), parameters, nullptr))
      return error;
  }
  return SENTINEL_CUDA_CALL(api, cuEventRecord, session_.ended(), session_.stream());
}

Error Loop::end(double& us) {
  if (const Error error = session_.enter()) return error;
  if (const Error error = session_.wait()) return error;
  float ms = 0;
  const Error error = SENTINEL_CUDA_CALL(session_.api(), cuEventElapsedTime, &ms, session_.started(), session_.ended());
  us = static_cast<double>(ms) * 1000;
  return error;
}

}  // namespace sentinel::cuda
