// gpu_measure: what docs/goals.json asks of a GPU, measured on the GPU of this machine; one line of JSON a check, and a
// summary. Needs no Node.js and no network. docs/measurements/README.md says how to run it and what the lines mean.
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "tenant.h"

namespace {

using sentinel::measure::Setup;

constexpr double kSeconds = 420;
constexpr uint32_t kSeeds = 10'000;

int usage() {
  fprintf(stderr, "usage: gpu_measure [--seconds N] [--seeds N] [--family NAME] [--uuid GPU-...] [--tenant COMMAND]\n");
  return 2;
}

bool take(Setup& setup, const std::string& name, const char* value) {
  if (name == "--seconds") return (setup.seconds = atof(value)) > 0;
  if (name == "--seeds") return (setup.seeds = static_cast<uint32_t>(atoi(value))) > 0;
  if (name == "--uuid") return setup.uuid = value, true;
  if (name == "--family") return setup.family = value, true;
  if (name == "--tenant") return setup.tenant = value, true;
  return false;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 5 && strcmp(arguments[1], sentinel::measure::kAsTenant) == 0) {
    const auto family = static_cast<sentinel::Family>(atoi(arguments[3]));
    return sentinel::measure::run_tenant(arguments[2], family, static_cast<uint32_t>(atoi(arguments[4])));
  }
  Setup setup{arguments[0], kSeconds, kSeeds, "", "", ""};
  for (int k = 1; k < count; k += 2) {
    if (k + 1 == count || !take(setup, arguments[k], arguments[k + 1])) return usage();
  }
  return sentinel::measure::measure(setup) ? 0 : 1;
}
