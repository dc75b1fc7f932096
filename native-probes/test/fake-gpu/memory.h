// Memory of the fake GPUs. Device addresses lie in a range in which the process has mapped nothing: a host that uses one
// as a pointer crashes, as with a real GPU; a host's address given to a kernel or a copy is an illegal address. Each
// allocation is backed by a mapping between two pages that nobody may touch, so that a kernel that runs over its end is
// caught by the processor.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <map>

namespace sentinel::fake {

constexpr uint64_t kFirstDeviceAddress = 0x0000'0302'0000'0000;
constexpr uint64_t kDeviceAddressGap = uint64_t{1} << 40;  // between two devices
constexpr uint32_t kNoBuffer = UINT32_MAX;

class DeviceMemory {
 public:
  DeviceMemory(uint32_t ordinal, uint64_t bytes);
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  // 0 if there is not so much left.
  uint64_t allocate(size_t bytes);
  bool release(uint64_t address);
  uint64_t free_bytes() const { return total_ - used_; }
  uint64_t total_bytes() const { return total_; }

  // Where the bytes lie in this process; null unless all of them are in one allocation.
  uint8_t* locate(uint64_t address, size_t bytes) const;
  // The allocations in the order in which they were made, freed ones counted: tests name a buffer so. Null: it is not there.
  uint8_t* buffer(uint32_t index, size_t* bytes = nullptr) const;
  // Of the allocation that has the address; kNoBuffer if none has.
  uint32_t buffer_at(uint64_t address) const;

 private:
  struct Allocation {
    uint8_t* mapping;
    size_t mapped;
    uint8_t* data;
    size_t bytes;
    uint32_t index;
  };

  const Allocation* find(uint64_t address, uint64_t& start) const;

  uint64_t total_, used_ = 0, next_;
  uint32_t allocated_ = 0;
  std::map<uint64_t, Allocation> allocations_;
};

}  // namespace sentinel::fake
