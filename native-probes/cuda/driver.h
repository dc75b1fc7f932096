// The functions of the CUDA driver API that the probes call, taken from the driver at run time: the addon loads and
// runs on machines without one. Names, types and numbers are those of NVIDIA's driver API reference; no function or
// attribute is newer than CUDA 12.2 (driver 535).
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <string>

namespace sentinel::cuda {

using CUresult = int;
using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = struct CUctx_st*;
using CUmodule = struct CUmod_st*;
using CUfunction = struct CUfunc_st*;
using CUkernel = struct CUkern_st*;
using CUstream = struct CUstream_st*;
using CUevent = struct CUevent_st*;
using CUgraph = struct CUgraph_st*;
using CUgraphNode = struct CUgraphNode_st*;
using CUgraphExec = struct CUgraphExec_st*;

struct CUuuid {
  unsigned char bytes[16];
};

// CUDA_KERNEL_NODE_PARAMS_v2.
struct CUkernelNodeParams {
  CUfunction func;
  unsigned gridDimX, gridDimY, gridDimZ;
  unsigned blockDimX, blockDimY, blockDimZ;
  unsigned sharedMemBytes;
  void** kernelParams;
  void** extra;
  CUkernel kern;  // null: func is used
  CUcontext ctx;  // null: the current one
};

// CUresult
constexpr CUresult kSuccess = 0;
constexpr CUresult kOutOfMemory = 2;
constexpr CUresult kNoDevice = 100;
constexpr CUresult kNotFound = 500;
constexpr CUresult kNotReady = 600;
constexpr CUresult kUnknown = 999;

// CUdevice_attribute
constexpr int kClockRateKhz = 13;
constexpr int kMultiprocessorCount = 16;
constexpr int kL2CacheBytes = 38;
constexpr int kComputeCapabilityMajor = 75;
constexpr int kComputeCapabilityMinor = 76;
constexpr int kMaxSharedMemoryPerBlockOptin = 97;
constexpr int kMpsEnabled = 133;  // a driver that does not know it says so by an error

// CUfunction_attribute
constexpr int kFunctionStaticSharedBytes = 1;
constexpr int kFunctionMaxDynamicSharedBytes = 8;

// Flags and enumerations
constexpr unsigned kContextScheduleBlockingSync = 4;  // CU_CTX_SCHED_BLOCKING_SYNC
constexpr unsigned kStreamNonBlocking = 1;            // CU_STREAM_NON_BLOCKING
constexpr unsigned kEventDefault = 0;                 // CU_EVENT_DEFAULT
constexpr unsigned kHostAllocDefault = 0;
constexpr int kCaptureThreadLocal = 1;  // CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
constexpr int kGraphNodeKernel = 0;     // CU_GRAPH_NODE_TYPE_KERNEL

// The one list: declares the table below, and is what a driver must export.
#define SENTINEL_CUDA_FUNCTIONS(X)                                                                                   \
  X(cuInit, (unsigned flags))                                                                                        \
  X(cuDriverGetVersion, (int* version))                                                                              \
  X(cuGetErrorName, (CUresult error, const char** name))                                                             \
  X(cuDeviceGetCount, (int* count))                                                                                  \
  X(cuDeviceGet, (CUdevice * device, int ordinal))                                                                   \
  X(cuDeviceGetName, (char* name, int bytes, CUdevice device))                                                       \
  X(cuDeviceGetUuid_v2, (CUuuid * uuid, CUdevice device))                                                            \
  X(cuDeviceGetAttribute, (int* value, int attribute, CUdevice device))                                              \
  X(cuDeviceTotalMem_v2, (size_t* bytes, CUdevice device))                                                           \
  X(cuDeviceGetPCIBusId, (char* id, int bytes, CUdevice device))                                                     \
  X(cuCtxCreate_v2, (CUcontext * context, unsigned flags, CUdevice device))                                          \
  X(cuCtxDestroy_v2, (CUcontext context))                                                                            \
  X(cuCtxSetCurrent, (CUcontext context))                                                                            \
  X(cuCtxGetStreamPriorityRange, (int* least, int* greatest))                                                        \
  X(cuModuleLoadData, (CUmodule * module, const void* image))                                                        \
  X(cuModuleGetFunction, (CUfunction * function, CUmodule module, const char* name))                                 \
  X(cuFuncGetAttribute, (int* value, int attribute, CUfunction function))                                            \
  X(cuFuncSetAttribute, (CUfunction function, int attribute, int value))                                             \
  X(cuMemAlloc_v2, (CUdeviceptr * address, size_t bytes))                                                            \
  X(cuMemFree_v2, (CUdeviceptr address))                                                                             \
  X(cuMemGetInfo_v2, (size_t* free, size_t* total))                                                                  \
  X(cuMemHostAlloc, (void** address, size_t bytes, unsigned flags))                                                  \
  X(cuMemFreeHost, (void* address))                                                                                  \
  X(cuMemcpyHtoDAsync_v2, (CUdeviceptr to, const void* from, size_t bytes, CUstream stream))                         \
  X(cuMemcpyDtoHAsync_v2, (void* to, CUdeviceptr from, size_t bytes, CUstream stream))                               \
  X(cuMemsetD8Async, (CUdeviceptr address, unsigned char value, size_t bytes, CUstream stream))                      \
  X(cuStreamCreateWithPriority, (CUstream * stream, unsigned flags, int priority))                                   \
  X(cuStreamBeginCapture_v2, (CUstream stream, int mode))                                                            \
  X(cuStreamEndCapture, (CUstream stream, CUgraph * graph))                                                          \
  X(cuStreamQuery, (CUstream stream))                                                                                \
  X(cuStreamSynchronize, (CUstream stream))                                                                          \
  X(cuGraphGetNodes, (CUgraph graph, CUgraphNode * nodes, size_t* count))                                            \
  X(cuGraphNodeGetType, (CUgraphNode node, int* type))                                                               \
  X(cuGraphInstantiateWithFlags, (CUgraphExec * executable, CUgraph graph, unsigned long long flags))                \
  X(cuGraphExecKernelNodeSetParams_v2, (CUgraphExec executable, CUgraphNode node, const CUkernelNodeParams* params)) \
  X(cuGraphLaunch, (CUgraphExec executable, CUstream stream))                                                        \
  X(cuEventCreate, (CUevent * event, unsigned flags))                                                                \
  X(cuEventRecord, (CUevent event, CUstream stream))                                                                 \
  X(cuEventQuery, (CUevent event))                                                                                   \
  X(cuEventElapsedTime, (float* milliseconds, CUevent start, CUevent end))                                           \
  X(cuLaunchKernel,                                                                                                  \
    (CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,     \
     unsigned block_z, unsigned shared_bytes, CUstream stream, void** arguments, void** extra))

struct Driver {
#define SENTINEL_DECLARE(name, parameters) CUresult(*name) parameters;
  SENTINEL_CUDA_FUNCTIONS(SENTINEL_DECLARE)
#undef SENTINEL_DECLARE
};

// A call of the driver that did not succeed; false where it did.
struct Error {
  CUresult status = kSuccess;
  const char* call = nullptr;
  explicit operator bool() const { return status != kSuccess; }
};

// "cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY".
std::string describe(const Driver& driver, Error error);

// The process's driver, loaded and initialised by the first call. Null where there is none: `missing` then says why.
const Driver* driver(std::string& missing);

// Calls a function and names it in the error that it returns, if any: if (const Error error = CALL(api, cuInit, 0)) ...
#define SENTINEL_CUDA_CALL(api, function, ...) \
  ::sentinel::cuda::Error { (api).function(__VA_ARGS__), #function }

}  // namespace sentinel::cuda
