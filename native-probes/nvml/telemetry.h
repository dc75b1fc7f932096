// One reading of everything that a GPU says about itself. Names, units and sources: docs/telemetry.md.
#pragma once
#include <string>
#include <vector>

#include "library.h"

namespace sentinel {
namespace nvml {

struct Field {
  std::string name;
  bool is_text;
  double number;
  std::string text;
};

struct TelemetryRequest {
  std::string uuid;
  bool nvlink;
  bool pcie;
};

struct Telemetry {
  Error error;  // why nothing was read, or why reading ended early
  std::vector<Field> fields;
};

// A field that the device does not offer is left out, never zero.
Telemetry read_telemetry(const TelemetryRequest& request);

}  // namespace nvml
}  // namespace sentinel
