#include "launch_hooks.h"

namespace sentinel::cuda {
namespace {

Error nothing_when_opened(const Session&, const GpuDevice&, CUmodule) { return {}; }
Error nothing_before(const Session&, const Job&) { return {}; }
Error nothing_after(const Session&) { return {}; }

}  // namespace

const LaunchHooks kLaunchHooks = {nothing_when_opened, nothing_before, nothing_after};

}  // namespace sentinel::cuda
