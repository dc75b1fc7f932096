#include "memory.h"

#include <algorithm>

namespace sentinel::cuda {

HostMemory::~HostMemory() {
  if (data_ != nullptr) api_.cuMemFreeHost(data_);
}

Error HostMemory::reserve(size_t bytes) {
  if (bytes <= bytes_) return {};
  if (data_ != nullptr) api_.cuMemFreeHost(data_);
  data_ = nullptr;
  bytes_ = 0;
  void* data = nullptr;
  if (const Error error = SENTINEL_CUDA_CALL(api_, cuMemHostAlloc, &data, bytes, kHostAllocDefault)) return error;
  data_ = static_cast<unsigned char*>(data);
  bytes_ = bytes;
  return {};
}

DeviceMemory::~DeviceMemory() {
  if (base_ != 0) session_.api().cuMemFree_v2(base_);
}

Error DeviceMemory::take(uint64_t l2_bytes) {
  const uint64_t tables = table_layout(kMostSlots).bytes;
  bytes_ = std::max(kLeastDeviceBytes, align_up(kHbmL2Multiple * l2_bytes + tables, kTableAlignment));
  Error error = SENTINEL_CUDA_CALL(session_.api(), cuMemAlloc_v2, &base_, bytes_);
  if (error.status == kOutOfMemory && bytes_ > kLeastDeviceBytes) {
    bytes_ = kLeastDeviceBytes;
    error = SENTINEL_CUDA_CALL(session_.api(), cuMemAlloc_v2, &base_, bytes_);
  }
  if (error) return error;
  return golden_.reserve(kGoldenBytes);
}

Error DeviceMemory::shape(uint32_t slots) {
  layout_ = table_layout(slots);
  if (const Error error = host_.reserve(layout_.bytes)) return error;
  const size_t claims_bytes = layout_.records - layout_.claims;
  if (const Error error = SENTINEL_CUDA_CALL(session_.api(), cuMemsetD8Async, tables() + layout_.claims, 0,
                                             claims_bytes, session_.stream()))
    return error;
  return session_.finish();
}

Error DeviceMemory::reserve_running() {
  if (const Error error = running_.reserve(running_bytes(layout_.slots, kMostBlocks))) return error;
  return results_.reserve(kResultsBytesOfSm);
}

Error DeviceMemory::reserve_copies(size_t bytes) {
  if (const Error error = sent_.reserve(bytes)) return error;
  return returned_.reserve(bytes);
}

}  // namespace sentinel::cuda
