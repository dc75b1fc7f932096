// The one piece of device memory that an opened GPU takes, and the pinned host memory that it is copied to.
#pragma once
#include "gpu_families.h"
#include "session.h"
#include "tables.h"

namespace sentinel::cuda {

constexpr uint64_t kLeastDeviceBytes = uint64_t{64} << 20;
constexpr uint32_t kMostSlots = 1024;

// Pinned host memory.
class HostMemory {
 public:
  explicit HostMemory(const Driver& api) : api_(api) {}
  ~HostMemory();
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

  // At least so many bytes. What was there is lost where they are more than before.
  Error reserve(size_t bytes);
  unsigned char* data() const { return data_; }

 private:
  const Driver& api_;
  unsigned char* data_ = nullptr;
  size_t bytes_ = 0;
};

// max(64 MB, 3 L2 and the tables), taken once; where that is not free, 64 MB. The tables lie at its end.
class DeviceMemory {
 public:
  explicit DeviceMemory(const Session& session)
      : session_(session),
        host_(session.api()),
        golden_(session.api()),
        running_(session.api()),
        results_(session.api()),
        sent_(session.api()),
        returned_(session.api()) {}
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  Error take(uint64_t l2_bytes);
  // Lays the tables out for so many SMs, with no claim of any of them.
  Error shape(uint32_t slots);
  // Host memory for what warps compute, whatever the number of iterations: graphs keep its address. And for the results
  // of one SM.
  Error reserve_running();
  // Host memory for both directions of family copy, of which every launch copies as much.
  Error reserve_copies(size_t bytes);

  uint64_t bytes() const { return bytes_; }
  CUdeviceptr arena() const { return base_; }
  uint64_t arena_bytes() const { return bytes_ - layout_.bytes; }
  CUdeviceptr tables() const { return base_ + arena_bytes(); }
  const TableLayout& layout() const { return layout_; }

  // Copies of the tables, and of the running digests, as they came back.
  unsigned char* host() const { return host_.data(); }
  uint32_t* running() const { return reinterpret_cast<uint32_t*>(running_.data()); }
  // Of one SM, as they came back.
  uint32_t* results() const { return reinterpret_cast<uint32_t*>(results_.data()); }
  // What goes to the begin of the arena, and what came back from behind it.
  uint32_t* sent() const { return reinterpret_cast<uint32_t*>(sent_.data()); }
  uint32_t* returned() const { return reinterpret_cast<uint32_t*>(returned_.data()); }
  // What is uploaded as the golden.
  uint32_t* golden() const { return reinterpret_cast<uint32_t*>(golden_.data()); }

 private:
  const Session& session_;
  CUdeviceptr base_ = 0;
  uint64_t bytes_ = 0;
  TableLayout layout_{};
  HostMemory host_, golden_, running_, results_, sent_, returned_;
};

}  // namespace sentinel::cuda
