#include "fault_values.h"

#include "../addon/gpu.h"
#include "../cpu/features.h"
#include "gpu_targets.h"

namespace sentinel {
namespace {

using injection::Effect;
using injection::FaultSpec;
using injection::Site;

constexpr uint32_t kMostCores = 4096;
// In the order of the enumerations.
constexpr const char* kSites[] = {"result",  "operand-a", "operand-b",      "operand-c", "address",
                                  "digest", "golden",    "operand-buffer", "placement"};
constexpr const char* kEffects[] = {"flip", "stuck0", "stuck1", "xor", "ulp", "swap", "stale"};
constexpr const char* kPresets[] = {"published"};
constexpr size_t kMostPathBytes = 500;
constexpr double kMostHeat = 10;      // per degree
constexpr double kMostDegrees = 200;  // Celsius
constexpr double kMostMhz = 100000;

bool rates_from(Arguments& arguments, FaultSpec& out) {
  if (arguments.has("rate") && arguments.has("rateExec"))
    return arguments.refuse("rate", "give either rate or rateExec");
  if (arguments.has("rateExec")) return arguments.number("rateExec", 1e-12, 1, out.rate_exec);
  out.rate = 1;
  return !arguments.has("rate") || arguments.number("rate", 1e-12, 1, out.rate);
}

bool probability(Arguments& arguments, const char* field, double& out) {
  return !arguments.has(field) || arguments.number(field, 0, 1, out);
}

bool file_name(Arguments& arguments, const char* field, std::string& out) {
  return !arguments.has(field) || arguments.text(field, kMostPathBytes, out);
}

bool climate_from(Arguments& arguments, injection::Climate& out) {
  if (arguments.has("heat") != arguments.has("heatFile"))
    return arguments.refuse("heat", "needs heatFile, millidegrees Celsius as in sysfs, and the other way round");
  if (arguments.has("clockAbove") != arguments.has("clockFile"))
    return arguments.refuse("clockAbove", "needs clockFile, kHz as in sysfs, and the other way round");
  if (arguments.has("heat") && !arguments.number("heat", -kMostHeat, kMostHeat, out.heat)) return false;
  if (arguments.has("heatReference") &&
      !arguments.number("heatReference", -kMostDegrees, kMostDegrees, out.heat_reference))
    return false;
  if (arguments.has("clockAbove") && !arguments.number("clockAbove", 0, kMostMhz, out.clock_above)) return false;
  return file_name(arguments, "heatFile", out.heat_file) && file_name(arguments, "clockFile", out.clock_file);
}

bool bursts_from(Arguments& arguments, injection::Bursts& out) {
  return probability(arguments, "burstEnter", out.enter) && probability(arguments, "burstLeave", out.leave);
}

bool preset_from(Arguments& arguments, FaultSpec& out) {
  uint32_t preset = 0;
  if (!arguments.has("preset")) return true;
  if (arguments.has("effect")) return arguments.refuse("preset", "stands for an effect: give one of them");
  if (!arguments.choice("preset", kPresets, 1, preset)) return false;
  out.effect = Effect::kXor;
  return true;
}

// A family whose kernel has no such place would never be falsified.
bool site_fits(Arguments& arguments, const FaultSpec& spec) {
  const bool operand = spec.site == Site::kOperandA || spec.site == Site::kOperandB || spec.site == Site::kOperandC;
  const bool arithmetic =
      spec.family == Family::kFma32 || spec.family == Family::kFma64 || spec.family == Family::kFma16;
  if (operand && !arithmetic)
    return arguments.refuse("site", "operands are falsified in fma32, fma64 and fma16 only");
  if (spec.site == Site::kAddress && spec.family != Family::kCpuMem)
    return arguments.refuse("site", "addresses are falsified in cpu_mem only");
  return true;
}

bool cores_from(Arguments& arguments, FaultSpec& out) {
  if (arguments.is_text("cores", "all")) {
    out.cores = allowed_cpus();
    return true;
  }
  if (!arguments.u32_list("cores", 1, kMostCores, kMostCpus - 1, out.cores)) return false;
  const std::vector<uint32_t> allowed = allowed_cpus();
  std::string valid;
  for (uint32_t cpu : allowed) valid += (valid.empty() ? "" : ", ") + std::to_string(cpu);
  for (size_t k = 0; k < out.cores.size(); k++) {
    bool found = false;
    for (uint32_t cpu : allowed) found = found || cpu == out.cores[k];
    if (!found) {
      return arguments.refuse("cores[" + std::to_string(k) + "]",
                              "no logical CPU " + std::to_string(out.cores[k]) + " here; there are " + valid);
    }
  }
  return true;
}

bool optional_u32(Arguments& arguments, const char* field, uint32_t& out) {
  return !arguments.has(field) || arguments.u32(field, UINT32_MAX, out);
}

// Where it acts: CPUs, or GPUs, whose families are others.
bool place_from(Arguments& arguments, FaultSpec& out) {
  if (arguments.has("gpu")) {
    return gpu_family_from(arguments, out.family) && gpu_target_from(arguments, out.gpu.emplace());
  }
  for (const char* field : {"sm", "subPartition"}) {
    if (arguments.has(field)) return arguments.refuse(field, "is a place of a GPU: give gpu as well");
  }
  if (!arguments.has("cores")) return arguments.refuse("cores", "give cores, or gpu for a fault of GPUs");
  return family_from(arguments, out.family) && cores_from(arguments, out);
}

bool place_fits(Arguments& arguments, const FaultSpec& spec) {
  if (!spec.gpu) return site_fits(arguments, spec);
  if (spec.site != Site::kResult) return arguments.refuse("site", "on a GPU results alone are falsified");
  if (spec.effect == Effect::kSwap || spec.effect == Effect::kStale)
    return arguments.refuse("effect", "expected one of flip, stuck0, stuck1, xor, ulp on a GPU");
  return true;
}

bool effect_from(Arguments& arguments, FaultSpec& out) {
  uint32_t site = 0, effect = 0;
  if (arguments.has("site") && !arguments.choice("site", kSites, 9, site)) return false;
  if (arguments.has("effect") && !arguments.choice("effect", kEffects, 7, effect)) return false;
  out.site = static_cast<Site>(site);
  out.effect = static_cast<Effect>(effect);
  return place_fits(arguments, out) && preset_from(arguments, out) && optional_u32(arguments, "mask", out.mask);
}

bool data_from(Arguments& arguments, FaultSpec& out) {
  if (!optional_u32(arguments, "dataMask", out.data_mask) || !optional_u32(arguments, "dataValue", out.data_value))
    return false;
  return (out.data_value & ~out.data_mask) == 0 ||
         arguments.refuse("dataValue", "has bits that dataMask does not select");
}

bool lane_from(Arguments& arguments, FaultSpec& out) {
  out.has_lane = arguments.has("lane");
  return !out.has_lane || arguments.u32("lane", (out.gpu ? kGpuLanes : kLanes) - 1, out.lane);
}

}  // namespace

bool fault_from(Arguments& arguments, FaultSpec& out) {
  if (!arguments.is_object() || !place_from(arguments, out) || !rates_from(arguments, out)) return false;
  if (!effect_from(arguments, out) || !data_from(arguments, out) || !lane_from(arguments, out)) return false;
  if (!climate_from(arguments, out.climate) || !bursts_from(arguments, out.bursts)) return false;
  if (!optional_u32(arguments, "onset", out.onset) || !optional_u32(arguments, "seed", out.seed)) return false;
  return !arguments.has("same") || arguments.boolean("same", out.same);
}

}  // namespace sentinel
