// A tenant at full load: another process that keeps every SM busy with one kernel, and says how long its steps take.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "../cuda/gpu.h"

namespace sentinel::measure {

struct Step {
  uint64_t ended_ns;  // CLOCK_MONOTONIC
  double us;          // by the GPU's events
};

constexpr const char* kAsTenant = "--as-tenant";

// In the tenant's process: steps without end, one line each on standard output. Returns only after an error.
int run_tenant(const std::string& uuid, Family family, uint32_t slots);

class Tenant {
 public:
  ~Tenant();
  // Starts this program again as a tenant, and waits for its first step. False where there is none within a minute.
  bool start(const char* program, const std::string& uuid, Family family, uint32_t slots);
  // Any program whose output is that of run_tenant: a line for each step, its end in ns of CLOCK_MONOTONIC and its us.
  bool start(const std::vector<std::string>& command);
  // The steps since the last call.
  std::vector<Step> steps();

 private:
  pid_t process_ = 0;
  int output_ = -1;
  std::string rest_;
};

}  // namespace sentinel::measure
