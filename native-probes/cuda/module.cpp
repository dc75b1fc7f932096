#include "module.h"

#include "kernels.h"

namespace sentinel::cuda {
namespace {

constexpr int kSmallSharedBytes = 8 << 10;
constexpr uint32_t kSmallBlocksPerSm = 4;

// The full variant takes all that a block may have, so that a second one does not fit beside it.
Error size_shared(const Session& session, Variant variant, Kernel& kernel) {
  const Driver& api = session.api();
  int most = kSmallSharedBytes, fixed = 0;
  if (variant == Variant::kFull) {
    if (const Error error =
            SENTINEL_CUDA_CALL(api, cuDeviceGetAttribute, &most, kMaxSharedMemoryPerBlockOptin, session.device()))
      return error;
  }
  if (const Error error =
          SENTINEL_CUDA_CALL(api, cuFuncGetAttribute, &fixed, kFunctionStaticSharedBytes, kernel.function))
    return error;
  kernel.shared_bytes = static_cast<uint32_t>(most > fixed ? most - fixed : 0);
  return SENTINEL_CUDA_CALL(api, cuFuncSetAttribute, kernel.function, kFunctionMaxDynamicSharedBytes,
                            static_cast<int>(kernel.shared_bytes));
}

}  // namespace

Error load_module(const Session& session, const GpuDevice& device, CUmodule& out) {
  const EmbeddedKernels* kernels = kernels_for(device.major, device.minor);
  if (kernels == nullptr) return {kNotFound, "cuModuleLoadData"};
  return SENTINEL_CUDA_CALL(session.api(), cuModuleLoadData, &out, kernels->image);
}

Error find_kernel(const Session& session, const GpuDevice& device, CUmodule module, const char* family, Variant variant,
                  Kernel& out) {
  const bool full = variant == Variant::kFull;
  const std::string name = std::string("sentinel_") + family + (full ? "" : "_small");
  const Error error = SENTINEL_CUDA_CALL(session.api(), cuModuleGetFunction, &out.function, module, name.c_str());
  if (error.status == kNotFound) out.function = nullptr;
  if (error) return error.status == kNotFound ? Error{} : error;
  out.threads = (full ? kFullWarps : kSmallWarps) * kWarpLanes;
  out.blocks = device.sm_count * (full ? 1 : kSmallBlocksPerSm);
  return size_shared(session, variant, out);
}

}  // namespace sentinel::cuda
