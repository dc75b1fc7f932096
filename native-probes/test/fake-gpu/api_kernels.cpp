// Driver functions about modules, functions and launches.
#include <string.h>

#include <algorithm>

#include "cuda_api.h"
#include "launch_call.h"
#include "machine.h"
#include "streams.h"

using namespace sentinel::fake;

namespace {

constexpr int kMaxSharedPerBlockOptin = 97;  // CUdevice_attribute
constexpr int kDefaultDynamicShared = 48 * 1024;
constexpr unsigned kMostThreads = 1024;

// Numbers of CUfunction_attribute.
enum : int {
  kMaxThreadsPerBlock = 0,
  kStaticShared = 1,
  kRegisters = 4,
  kBinaryVersion = 6,
  kMaxDynamicShared = 8,
};

int limit_of_dynamic_shared(const Function& function) {
  return function.module->context->device->attributes.at(kMaxSharedPerBlockOptin) -
         static_cast<int>(function.code->static_shared_bytes);
}

unsigned most_threads(const Function& function) {
  return function.code->most_threads == 0 ? kMostThreads : function.code->most_threads;
}

bool is_line(const unsigned (&size)[3]) { return size[0] >= 1 && size[1] == 1 && size[2] == 1; }

std::vector<uint8_t> copied_arguments(const CubinFunction& code, void** arguments) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < code.parameters.size(); i++) {
    const CubinParameter& parameter = code.parameters[i];
    bytes.resize(std::max<size_t>(bytes.size(), parameter.offset + parameter.bytes));
    memcpy(bytes.data() + parameter.offset, arguments[i], parameter.bytes);
  }
  return bytes;
}

}  // namespace

namespace sentinel::fake {

int make_call(const LaunchRequest& request, KernelCall& call) {
  const Function* function = request.function;
  if (!machine()->functions.has(function)) return kInvalidHandle;
  if (!is_line(request.grid) || !is_line(request.block) || request.extra != nullptr) return kInvalidValue;
  if (request.block[0] > most_threads(*function) || request.block[0] % 32 != 0) return kInvalidValue;
  if (request.shared_bytes > static_cast<unsigned>(function->dynamic_shared_limit)) return kInvalidValue;
  call = {request.function, request.grid[0], request.block[0], request.shared_bytes,
          copied_arguments(*function->code, request.arguments)};
  return kSuccess;
}

}  // namespace sentinel::fake

FAKE_CUDA_API cuModuleLoadData(Module** module, const void* image) {
  if (const int error = enter_context("cuModuleLoadData"); error != kSuccess) return error;
  std::optional<Cubin> cubin = parse_cubin(image);
  if (!cubin) return kInvalidImage;
  const Device& device = *current_context()->device;
  if (!cubin->runs_on(device.major, device.minor)) return kNoBinaryForGpu;
  *module = machine()->modules.add({current_context(), std::move(*cubin), {}});
  return kSuccess;
}

FAKE_CUDA_API cuModuleGetGlobal_v2(uint64_t* address, size_t* bytes, Module* module, const char* name) {
  if (const int error = enter_context("cuModuleGetGlobal_v2"); error != kSuccess) return error;
  if (!machine()->modules.has(module)) return kInvalidHandle;
  const auto found = module->cubin.variables.find(name);
  if (found == module->cubin.variables.end()) return kNotFound;
  if (address != nullptr) *address = module->address_of(name);
  if (bytes != nullptr) *bytes = found->second;
  return kSuccess;
}

FAKE_CUDA_API cuModuleGetFunction(Function** function, Module* module, const char* name) {
  if (const int error = enter_context("cuModuleGetFunction"); error != kSuccess) return error;
  if (!machine()->modules.has(module)) return kInvalidHandle;
  const auto found = module->cubin.functions.find(name);
  if (found == module->cubin.functions.end()) return kNotFound;
  const int limit = kDefaultDynamicShared - static_cast<int>(found->second.static_shared_bytes);
  *function = machine()->functions.add({module, name, &found->second, limit});
  return kSuccess;
}

FAKE_CUDA_API cuFuncGetAttribute(int* value, int attribute, Function* function) {
  if (const int error = enter_context("cuFuncGetAttribute"); error != kSuccess) return error;
  if (!machine()->functions.has(function)) return kInvalidHandle;
  switch (attribute) {
    case kMaxThreadsPerBlock: *value = static_cast<int>(most_threads(*function)); return kSuccess;
    case kStaticShared: *value = static_cast<int>(function->code->static_shared_bytes); return kSuccess;
    case kRegisters: *value = static_cast<int>(function->code->registers); return kSuccess;
    case kBinaryVersion: *value = static_cast<int>(function->module->cubin.architecture); return kSuccess;
    case kMaxDynamicShared: *value = function->dynamic_shared_limit; return kSuccess;
    default: return kInvalidValue;
  }
}

FAKE_CUDA_API cuFuncSetAttribute(Function* function, int attribute, int value) {
  if (const int error = enter_context("cuFuncSetAttribute"); error != kSuccess) return error;
  if (!machine()->functions.has(function)) return kInvalidHandle;
  if (attribute != kMaxDynamicShared || value < 0 || value > limit_of_dynamic_shared(*function)) return kInvalidValue;
  function->dynamic_shared_limit = value;
  return kSuccess;
}

FAKE_CUDA_API cuLaunchKernel(Function* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                             unsigned block_y, unsigned block_z, unsigned shared_bytes, Stream* stream,
                             void** arguments, void** extra) {
  if (machine() == nullptr) return kNotInitialized;
  Operation operation{OperationType::kKernel, {}, nullptr};
  const int status = make_call(
      {function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, arguments, extra},
      operation.kernel);
  return status != kSuccess ? status : enqueue("cuLaunchKernel", stream, std::move(operation));
}
