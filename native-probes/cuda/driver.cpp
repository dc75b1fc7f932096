#include "driver.h"

#include <dlfcn.h>

namespace sentinel::cuda {
namespace {

constexpr const char* kLibrary = "libcuda.so.1";

struct Loaded {
  Driver driver{};
  std::string missing;
};

// False at the first function that the library lacks.
bool resolve(void* library, Driver& out, std::string& missing) {
#define SENTINEL_RESOLVE(name, parameters)                                                   \
  out.name = reinterpret_cast<CUresult(*) parameters>(dlsym(library, #name));                \
  if (out.name == nullptr) {                                                                 \
    missing = std::string(kLibrary) + " has no " #name ": driver 535 or newer is necessary"; \
    return false;                                                                            \
  }
  SENTINEL_CUDA_FUNCTIONS(SENTINEL_RESOLVE)
#undef SENTINEL_RESOLVE
  return true;
}

Loaded load() {
  Loaded out;
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    out.missing = std::string("no CUDA driver: ") + dlerror();
  } else if (resolve(library, out.driver, out.missing)) {
    if (const Error error = SENTINEL_CUDA_CALL(out.driver, cuInit, 0)) out.missing = describe(out.driver, error);
  }
  return out;
}

}  // namespace

std::string describe(const Driver& driver, Error error) {
  const char* name = nullptr;
  if (driver.cuGetErrorName(error.status, &name) != kSuccess || name == nullptr) {
    return std::string(error.call) + ": error " + std::to_string(error.status);
  }
  return std::string(error.call) + ": " + name;
}

const Driver* driver(std::string& missing) {
  static const Loaded loaded = load();
  missing = loaded.missing;
  return missing.empty() ? &loaded.driver : nullptr;
}

}  // namespace sentinel::cuda
