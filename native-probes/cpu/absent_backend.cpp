// For instruction sets without kernels: features.cpp reports every family as absent, so nothing calls these.
#include "unit.h"

namespace sentinel {
const Backend kBackend = {nullptr, nullptr};
}  // namespace sentinel
