// What else happens on a GPU's stream before and after the launches of a job. In a release: nothing. The test build links
// another table of these functions.
#pragma once
#include "census.h"
#include "launcher.h"

namespace sentinel::cuda {

struct LaunchHooks {
  // Once, when the context has its kernels.
  Error (*opened)(const Session& session, const GpuDevice& device, CUmodule module);
  // What it puts on the session's stream happens before the first launch of the job.
  Error (*before)(const Session& session, const Job& job);
  // The last launch has ended.
  Error (*after)(const Session& session);
};

extern const LaunchHooks kLaunchHooks;

}  // namespace sentinel::cuda
