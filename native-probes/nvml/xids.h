// Xid events of all GPUs: what the driver logs when something goes wrong loudly.
#pragma once
#include <string>
#include <vector>

#include "library.h"

namespace sentinel {
namespace nvml {

struct Xid {
  std::string uuid;  // of the MIG instance where the driver names one, else of the GPU
  uint64_t number;
  uint64_t time_us;
};

struct Xids {
  Error error;
  std::vector<Xid> events;
};

// Events since the last call, at most 64; begins to listen with the first. Does not wait.
Xids take_xids();

}  // namespace nvml
}  // namespace sentinel
