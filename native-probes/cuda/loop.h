// A load in a context of its own: one family's kernel again and again, of which nobody looks at the results. What a
// switch between contexts costs is measured against it; the measurement program's tenant is one.
#pragma once
#include "module.h"

namespace sentinel::cuda {

class Loop {
 public:
  Loop(const Driver& api, const GpuDevice& device) : session_(api, device.handle), device_(device) {}

  // `slots` = entries of tables by %smid.
  Error open(Family family, uint32_t slots);
  // Gives the GPU so many launches; end() waits for the last and says how long they took together.
  Error begin(uint32_t launches);
  Error end(double& us);

 private:
  Error take_memory(uint32_t slots);

  Session session_;
  const GpuDevice& device_;
  Kernel kernel_;
  LaunchArguments arguments_{};
};

}  // namespace sentinel::cuda
