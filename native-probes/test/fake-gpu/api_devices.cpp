// Driver functions about the machine: initialisation, devices, contexts.
#include <stdio.h>
#include <string.h>

#include <algorithm>

#include "cuda_api.h"
#include "machine.h"

using namespace sentinel::fake;

namespace {

Device* device_numbered(int ordinal) {
  const auto& devices = machine()->devices;
  return ordinal < 0 || ordinal >= static_cast<int>(devices.size()) ? nullptr : devices[static_cast<size_t>(ordinal)].get();
}

// use(device) of a function that is given one.
template <class Use>
int with_device(const char* function, int ordinal, Use use) {
  if (const int error = enter(function); error != kSuccess) return error;
  Device* device = device_numbered(ordinal);
  return device == nullptr ? kInvalidDevice : use(*device);
}

int give_text(const std::string& text, char* to, int bytes) {
  if (bytes <= 0) return kInvalidValue;
  snprintf(to, static_cast<size_t>(bytes), "%s", text.c_str());
  return kSuccess;
}

// The 16 bytes of "GPU-xxxxxxxx-xxxx-…" or "MIG-…".
int give_uuid(const std::string& text, CudaUuid* uuid) {
  std::string digits;
  std::copy_if(text.begin() + 4, text.end(), std::back_inserter(digits), [](char c) { return c != '-'; });
  if (digits.size() != 32) give_up("fake-gpu.conf: uuid=" + text);
  for (size_t i = 0; i < 16; i++) {
    uuid->bytes[i] = static_cast<unsigned char>(strtoul(digits.substr(2 * i, 2).c_str(), nullptr, 16));
  }
  return kSuccess;
}

// What a context had goes with it, when its work has ended.
void destroy(Context& context) {
  Device& device = *context.device;
  std::vector<Stream*> streams;
  machine()->streams.each([&](Stream& stream) {
    if (stream.context == &context) streams.push_back(&stream);
  });
  for (Stream* stream : streams) {
    if (drain(*stream) == kNotReady) hang();
    machine()->streams.remove(stream);
  }
  auto& unread = device.unread;
  unread.erase(std::remove_if(unread.begin(), unread.end(), [&](const Launch& launch) { return launch.context == &context; }),
               unread.end());
  for (const uint64_t address : context.allocations) device.memory.release(address);
  if (device.last_context == &context) device.last_context = nullptr;
}

const std::map<int, const char*>& error_names() {
  static const std::map<int, const char*> names = {
      {0, "CUDA_SUCCESS"},
      {1, "CUDA_ERROR_INVALID_VALUE"},
      {2, "CUDA_ERROR_OUT_OF_MEMORY"},
      {3, "CUDA_ERROR_NOT_INITIALIZED"},
      {46, "CUDA_ERROR_DEVICE_UNAVAILABLE"},
      {100, "CUDA_ERROR_NO_DEVICE"},
      {101, "CUDA_ERROR_INVALID_DEVICE"},
      {200, "CUDA_ERROR_INVALID_IMAGE"},
      {201, "CUDA_ERROR_INVALID_CONTEXT"},
      {209, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
      {214, "CUDA_ERROR_ECC_UNCORRECTABLE"},
      {400, "CUDA_ERROR_INVALID_HANDLE"},
      {500, "CUDA_ERROR_NOT_FOUND"},
      {600, "CUDA_ERROR_NOT_READY"},
      {700, "CUDA_ERROR_ILLEGAL_ADDRESS"},
      {702, "CUDA_ERROR_LAUNCH_TIMEOUT"},
      {709, "CUDA_ERROR_CONTEXT_IS_DESTROYED"},
      {719, "CUDA_ERROR_LAUNCH_FAILED"},
      {802, "CUDA_ERROR_SYSTEM_NOT_READY"},
      {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"},
      {805, "CUDA_ERROR_MPS_CONNECTION_FAILED"},
      {900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"},
      {999, "CUDA_ERROR_UNKNOWN"},
  };
  return names;
}

}  // namespace

FAKE_CUDA_API cuInit(unsigned flags) {
  start_machine();
  if (const int error = enter("cuInit"); error != kSuccess) return error;
  if (flags != 0) return kInvalidValue;
  return machine()->devices.empty() ? kNoDevice : kSuccess;
}

FAKE_CUDA_API cuDriverGetVersion(int* version) {
  if (const int error = enter("cuDriverGetVersion"); error != kSuccess) return error;
  *version = machine()->driver_version;
  return kSuccess;
}

FAKE_CUDA_API cuGetErrorName(int error, const char** name) {
  const auto found = error_names().find(error);
  *name = found == error_names().end() ? nullptr : found->second;
  return *name == nullptr ? kInvalidValue : kSuccess;
}

FAKE_CUDA_API cuDeviceGetCount(int* count) {
  if (const int error = enter("cuDeviceGetCount"); error != kSuccess) return error;
  *count = static_cast<int>(machine()->devices.size());
  return kSuccess;
}

FAKE_CUDA_API cuDeviceGet(int* device, int ordinal) {
  return with_device("cuDeviceGet", ordinal, [&](Device&) {
    *device = ordinal;
    return kSuccess;
  });
}

FAKE_CUDA_API cuDeviceGetName(char* name, int bytes, int device) {
  return with_device("cuDeviceGetName", device, [&](Device& found) { return give_text(found.name, name, bytes); });
}

FAKE_CUDA_API cuDeviceGetUuid_v2(CudaUuid* uuid, int device) {
  return with_device("cuDeviceGetUuid_v2", device, [&](Device& found) { return give_uuid(found.uuid, uuid); });
}

FAKE_CUDA_API cuDeviceGetAttribute(int* value, int attribute, int device) {
  return with_device("cuDeviceGetAttribute", device, [&](Device& found) {
    const auto entry = found.attributes.find(attribute);
    if (entry == found.attributes.end()) return kInvalidValue;
    *value = entry->second;
    return kSuccess;
  });
}

FAKE_CUDA_API cuDeviceTotalMem_v2(size_t* bytes, int device) {
  return with_device("cuDeviceTotalMem_v2", device, [&](Device& found) {
    *bytes = found.memory.total_bytes();
    return kSuccess;
  });
}

FAKE_CUDA_API cuDeviceGetPCIBusId(char* id, int bytes, int device) {
  return with_device("cuDeviceGetPCIBusId", device, [&](Device& found) { return give_text(found.pci_bus_id, id, bytes); });
}

FAKE_CUDA_API cuDeviceCanAccessPeer(int* can, int device, int peer) {
  return with_device("cuDeviceCanAccessPeer", device, [&](Device&) {
    if (device_numbered(peer) == nullptr) return kInvalidDevice;
    *can = device != peer;
    return kSuccess;
  });
}

FAKE_CUDA_API cuCtxCreate_v2(Context** context, unsigned flags, int device) {
  return with_device("cuCtxCreate_v2", device, [&](Device& found) {
    current_context() = *context = machine()->contexts.add({&found});
    return kSuccess;
  });
}

FAKE_CUDA_API cuCtxDestroy_v2(Context* context) {
  if (const int error = enter("cuCtxDestroy_v2"); error != kSuccess) return error;
  if (!machine()->contexts.has(context)) return kInvalidContext;
  if (current_context() == context) current_context() = nullptr;
  destroy(*context);
  machine()->contexts.remove(context);
  return kSuccess;
}

FAKE_CUDA_API cuCtxSetCurrent(Context* context) {
  if (const int error = enter("cuCtxSetCurrent"); error != kSuccess) return error;
  if (context != nullptr && !machine()->contexts.has(context)) return kInvalidContext;
  current_context() = context;
  return kSuccess;
}

FAKE_CUDA_API cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  if (const int error = enter_context("cuCtxGetStreamPriorityRange"); error != kSuccess) return error;
  *least = 0;
  *greatest = -5;
  return kSuccess;
}
