#include "memory.h"

#include <string.h>
#include <sys/mman.h>

#include "config.h"

namespace sentinel::fake {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kAlignment = 256;  // as cuMemAlloc gives
// What no kernel and no copy has written is no zero.
constexpr int kUninitialised = 0xcd;

size_t rounded(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

DeviceMemory::DeviceMemory(uint32_t ordinal, uint64_t bytes)
    : total_(bytes), next_(kFirstDeviceAddress + ordinal * kDeviceAddressGap) {}

DeviceMemory::~DeviceMemory() {
  for (const auto& [address, allocation] : allocations_) munmap(allocation.mapping, allocation.mapped);
}

uint64_t DeviceMemory::allocate(size_t bytes) {
  const size_t size = rounded(bytes, kAlignment);
  if (size > free_bytes()) return 0;
  // The data end where the guard page begins.
  const size_t body = rounded(size, kPage);
  const size_t mapped = body + 2 * kPage;
  void* mapping = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return 0;
  uint8_t* first = static_cast<uint8_t*>(mapping) + kPage;
  mprotect(first, body, PROT_READ | PROT_WRITE);
  uint8_t* data = first + body - size;
  memset(data, kUninitialised, size);
  const uint64_t address = next_;
  next_ += rounded(size, kPage) + kPage;
  allocations_[address] = {first - kPage, mapped, data, size, allocated_++};
  used_ += size;
  return address;
}

bool DeviceMemory::release(uint64_t address) {
  const auto found = allocations_.find(address);
  if (found == allocations_.end()) return false;
  munmap(found->second.mapping, found->second.mapped);
  used_ -= found->second.bytes;
  allocations_.erase(found);
  return true;
}

const DeviceMemory::Allocation* DeviceMemory::find(uint64_t address, uint64_t& start) const {
  auto next = allocations_.upper_bound(address);
  if (next == allocations_.begin()) return nullptr;
  start = (--next)->first;
  return address - start < next->second.bytes ? &next->second : nullptr;
}

uint8_t* DeviceMemory::locate(uint64_t address, size_t bytes) const {
  uint64_t start = 0;
  const Allocation* allocation = find(address, start);
  if (allocation == nullptr || bytes > allocation->bytes - (address - start)) return nullptr;
  return allocation->data + (address - start);
}

uint8_t* DeviceMemory::buffer(uint32_t index, size_t* bytes) const {
  for (const auto& [address, allocation] : allocations_) {
    if (allocation.index != index) continue;
    if (bytes != nullptr) *bytes = allocation.bytes;
    return allocation.data;
  }
  return nullptr;
}

uint32_t DeviceMemory::buffer_at(uint64_t address) const {
  uint64_t start = 0;
  const Allocation* allocation = find(address, start);
  return allocation == nullptr ? kNoBuffer : allocation->index;
}

}  // namespace sentinel::fake
