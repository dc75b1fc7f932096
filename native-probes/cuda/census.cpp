#include "census.h"

#include <stdio.h>

#include "kernels.h"

namespace sentinel::cuda {
namespace {

constexpr int kOldestMajor = 8;
constexpr int kMostNameBytes = 128, kPciBusIdBytes = 32;

// "GPU-" or "MIG-" and the bytes in groups of 4, 2, 2, 2, 6. A MIG instance says so in its name.
std::string uuid_text(const CUuuid& uuid, const std::string& device_name) {
  std::string text = device_name.find(" MIG ") != std::string::npos ? "MIG" : "GPU";
  for (int k = 0; k < 16; k++) {
    char hex[3];
    snprintf(hex, sizeof hex, "%02x", uuid.bytes[k]);
    if (k == 0 || k == 4 || k == 6 || k == 8 || k == 10) text += "-";
    text += hex;
  }
  return text;
}

struct Attribute {
  int number;
  int value;
};

Error read_attributes(const Driver& api, CUdevice device, Attribute* first, size_t count) {
  for (size_t k = 0; k < count; k++) {
    if (const Error error = SENTINEL_CUDA_CALL(api, cuDeviceGetAttribute, &first[k].value, first[k].number, device))
      return error;
  }
  return {};
}

Error read_numbers(const Driver& api, GpuDevice& out) {
  Attribute attributes[] = {
      {kComputeCapabilityMajor, 0}, {kComputeCapabilityMinor, 0}, {kMultiprocessorCount, 0}, {kL2CacheBytes, 0}};
  if (const Error error = read_attributes(api, out.handle, attributes, 4)) return error;
  out.major = attributes[0].value;
  out.minor = attributes[1].value;
  out.sm_count = static_cast<uint32_t>(attributes[2].value);
  out.l2_bytes = static_cast<uint64_t>(attributes[3].value);
  size_t bytes = 0;
  const Error error = SENTINEL_CUDA_CALL(api, cuDeviceTotalMem_v2, &bytes, out.handle);
  out.memory_bytes = bytes;
  return error;
}

Error read_names(const Driver& api, GpuDevice& out) {
  char text[kMostNameBytes] = "";
  if (const Error error = SENTINEL_CUDA_CALL(api, cuDeviceGetName, text, kMostNameBytes, out.handle)) return error;
  out.name = text;
  CUuuid uuid{};
  if (const Error error = SENTINEL_CUDA_CALL(api, cuDeviceGetUuid_v2, &uuid, out.handle)) return error;
  out.uuid = uuid_text(uuid, out.name);
  char bus[kPciBusIdBytes] = "";
  if (api.cuDeviceGetPCIBusId(bus, kPciBusIdBytes, out.handle) == kSuccess) out.pci_bus_id = bus;
  return {};
}

Error read_device(const Driver& api, int ordinal, GpuDevice& out) {
  if (const Error error = SENTINEL_CUDA_CALL(api, cuDeviceGet, &out.handle, ordinal)) return error;
  if (const Error error = read_names(api, out)) return error;
  if (const Error error = read_numbers(api, out)) return error;
  find_kernels(out);
  return {};
}

}  // namespace

void find_kernels(GpuDevice& out) {
  const std::string capability = std::to_string(out.major) + "." + std::to_string(out.minor);
  if (const EmbeddedKernels* kernels = kernels_for(out.major, out.minor)) {
    out.architecture = kernels->architecture;
  } else if (!has_kernels()) {
    out.missing = "this build has no GPU kernels";
  } else {
    out.missing = "no kernels for compute capability " + capability;
    if (out.major < kOldestMajor) out.missing += ": the oldest that can be tested is 8.0";
  }
}

Census take_census() {
  Census out;
  out.built = has_kernels();
  const Driver* api = driver(out.missing);
  if (api == nullptr) return out;
  int count = 0;
  if (const Error error = SENTINEL_CUDA_CALL(*api, cuDeviceGetCount, &count)) out.missing = describe(*api, error);
  for (int ordinal = 0; ordinal < count; ordinal++) {
    GpuDevice device;
    if (const Error error = read_device(*api, ordinal, device)) {
      out.missing = describe(*api, error);
      return out;
    }
    out.devices.push_back(device);
  }
  return out;
}

}  // namespace sentinel::cuda
