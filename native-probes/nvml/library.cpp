#include "library.h"

#include <dlfcn.h>

namespace sentinel {
namespace nvml {
namespace {

void* handle = nullptr;
Api functions;
bool initialised = false;

template <typename Function>
void find(const char* symbol, Function& out) {
  out = reinterpret_cast<Function>(dlsym(handle, symbol));
}

void find_all() {
#define SENTINEL_NVML_FIND(member, symbol, parameters) find(#symbol, functions.member);
  SENTINEL_NVML_FUNCTIONS(SENTINEL_NVML_FIND)
#undef SENTINEL_NVML_FIND
}

bool load() {
  if (handle != nullptr) return true;
  handle = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return false;
  find_all();
  return true;
}

}  // namespace

std::string name_of(Return code) {
  static const char* const names[] = {"SUCCESS",
                                      "UNINITIALIZED",
                                      "INVALID_ARGUMENT",
                                      "NOT_SUPPORTED",
                                      "NO_PERMISSION",
                                      "ALREADY_INITIALIZED",
                                      "NOT_FOUND",
                                      "INSUFFICIENT_SIZE",
                                      "INSUFFICIENT_POWER",
                                      "DRIVER_NOT_LOADED",
                                      "TIMEOUT",
                                      "IRQ_ISSUE",
                                      "LIBRARY_NOT_FOUND",
                                      "FUNCTION_NOT_FOUND",
                                      "CORRUPTED_INFOROM",
                                      "GPU_IS_LOST",
                                      "RESET_REQUIRED",
                                      "OPERATING_SYSTEM",
                                      "LIB_RM_VERSION_MISMATCH",
                                      "IN_USE",
                                      "MEMORY",
                                      "NO_DATA",
                                      "VGPU_ECC_NOT_SUPPORTED",
                                      "INSUFFICIENT_RESOURCES",
                                      "FREQ_NOT_SUPPORTED",
                                      "ARGUMENT_VERSION_MISMATCH",
                                      "DEPRECATED",
                                      "NOT_READY",
                                      "GPU_NOT_FOUND",
                                      "INVALID_STATE"};
  if (code >= 0 && code < static_cast<Return>(sizeof names / sizeof names[0])) return names[code];
  return code == 999 ? "UNKNOWN" : std::to_string(code);
}

Opened open_library() {
  if (!load()) return {nullptr, {"dlopen", kLibraryNotFound}};
  if (!initialised) {
    const Return result = functions.init == nullptr ? kFunctionNotFound : functions.init();
    if (result != kSuccess) return {nullptr, {"nvmlInit_v2", result}};
    initialised = true;
  }
  return {&functions, {}};
}

bool is_gone(Return code) { return code == kUninitialized || code == kGpuIsLost || code == kResetRequired; }

}  // namespace nvml
}  // namespace sentinel
