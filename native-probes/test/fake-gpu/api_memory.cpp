// Driver functions about memory: allocation, copies, fills.
#include <stdlib.h>
#include <string.h>

#include "cuda_api.h"
#include "machine.h"
#include "streams.h"

using namespace sentinel::fake;

namespace {

enum class Direction { kToDevice, kToHost, kPeer };

const char* name_of(Direction direction) {
  switch (direction) {
    case Direction::kToDevice: return "h2d";
    case Direction::kToHost: return "d2h";
    default: return "peer";
  }
}

// What is at a device address when all kernels have ended that could have written there. Null: an illegal address, or one
// of those kernels failed: `failed` says with what.
uint8_t* settled(uint64_t address, size_t bytes, int& failed) {
  Device* device = machine()->device_of(address);
  failed = device == nullptr ? kIllegalAddress : finish_launches(*device, address);
  if (failed != kSuccess) return nullptr;
  uint8_t* found = device->memory.locate(address, bytes);
  if (found == nullptr) failed = kIllegalAddress;
  return found;
}

bool is_page_locked(const void* host, size_t bytes) {
  for (const auto& [start, size] : machine()->host_memory) {
    const auto offset = static_cast<const uint8_t*>(host) - static_cast<const uint8_t*>(start);
    if (offset >= 0 && static_cast<size_t>(offset) + bytes <= size) return true;
  }
  return false;
}

// A bit flips on the way.
void strike_copy(Direction direction, const Device& device, uint64_t address, uint8_t* arrived, size_t bytes) {
  for (Fault& fault : machine()->faults) {
    const Entry& fields = fault.fields();
    if (fault.kind() != "copy" || fields.text("direction", name_of(direction)) != name_of(direction)) continue;
    if (!fault.concerns_device(device.ordinal) || !fault.matches("buffer", device.memory.buffer_at(address))) continue;
    const uint64_t byte = fields.number("byte", 0);
    if (byte < bytes && fault.occurs()) arrived[byte] ^= static_cast<uint8_t>(1u << fields.number("bit", 0));
  }
}

void copy(Direction direction, uint64_t address, uint8_t* to, const uint8_t* from, size_t bytes) {
  memcpy(to, from, bytes);
  strike_copy(direction, *machine()->device_of(address), address, to, bytes);
}

int queue_copy(const char* function, Stream* stream, std::function<int(Stream&)> work) {
  return enqueue(function, stream, {OperationType::kCopy, {}, std::move(work)});
}

}  // namespace

FAKE_CUDA_API cuMemAlloc_v2(uint64_t* address, size_t bytes) {
  if (const int error = enter_context("cuMemAlloc_v2"); error != kSuccess) return error;
  if (bytes == 0) return kInvalidValue;
  *address = current_context()->device->memory.allocate(bytes);
  if (*address == 0) return kOutOfMemory;
  current_context()->allocations.insert(*address);
  return kSuccess;
}

FAKE_CUDA_API cuMemFree_v2(uint64_t address) {
  if (const int error = enter_context("cuMemFree_v2"); error != kSuccess) return error;
  if (current_context()->allocations.erase(address) == 0) return kInvalidValue;
  current_context()->device->memory.release(address);
  return kSuccess;
}

FAKE_CUDA_API cuMemGetInfo_v2(size_t* free, size_t* total) {
  if (const int error = enter_context("cuMemGetInfo_v2"); error != kSuccess) return error;
  *free = current_context()->device->memory.free_bytes();
  *total = current_context()->device->memory.total_bytes();
  return kSuccess;
}

FAKE_CUDA_API cuMemHostAlloc(void** address, size_t bytes, unsigned flags) {
  if (const int error = enter_context("cuMemHostAlloc"); error != kSuccess) return error;
  *address = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (*address == nullptr) return kOutOfMemory;
  machine()->host_memory[*address] = bytes;
  return kSuccess;
}

FAKE_CUDA_API cuMemFreeHost(void* address) {
  if (const int error = enter_context("cuMemFreeHost"); error != kSuccess) return error;
  if (machine()->host_memory.erase(address) == 0) return kInvalidValue;
  free(address);
  return kSuccess;
}

// Pageable memory is allowed too; the driver then copies it before the call returns.
FAKE_CUDA_API cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, Stream* stream) {
  const auto* bytes_from = static_cast<const uint8_t*>(from);
  std::shared_ptr<std::vector<uint8_t>> staged;
  if (machine() != nullptr && !is_page_locked(from, bytes)) {
    staged = std::make_shared<std::vector<uint8_t>>(bytes_from, bytes_from + bytes);
  }
  return queue_copy("cuMemcpyHtoDAsync_v2", stream, [=](Stream&) {
    int status;
    uint8_t* there = settled(to, bytes, status);
    if (status == kSuccess) copy(Direction::kToDevice, to, there, staged ? staged->data() : bytes_from, bytes);
    return status;
  });
}

FAKE_CUDA_API cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, Stream* stream) {
  return queue_copy("cuMemcpyDtoHAsync_v2", stream, [=](Stream&) {
    int status;
    const uint8_t* there = settled(from, bytes, status);
    if (status == kSuccess) copy(Direction::kToHost, from, static_cast<uint8_t*>(to), there, bytes);
    return status;
  });
}

FAKE_CUDA_API cuMemcpyPeerAsync(uint64_t to, Context* to_context, uint64_t from, Context* from_context, size_t bytes,
                                Stream* stream) {
  return queue_copy("cuMemcpyPeerAsync", stream, [=](Stream&) {
    if (machine()->device_of(to) != to_context->device || machine()->device_of(from) != from_context->device) {
      return kIllegalAddress;
    }
    int status;
    const uint8_t* source = settled(from, bytes, status);
    if (status != kSuccess) return status;
    uint8_t* there = settled(to, bytes, status);
    if (status == kSuccess) copy(Direction::kPeer, to, there, source, bytes);
    return status;
  });
}

FAKE_CUDA_API cuMemsetD8Async(uint64_t address, unsigned char value, size_t bytes, Stream* stream) {
  return enqueue("cuMemsetD8Async", stream, {OperationType::kFill, {}, [=](Stream&) {
                                               int status;
                                               uint8_t* to = settled(address, bytes, status);
                                               if (status == kSuccess) memset(to, value, bytes);
                                               return status;
                                             }});
}
