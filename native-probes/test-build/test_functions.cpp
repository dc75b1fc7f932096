#include "test_functions.h"

#include "../addon/values.h"
#include "../core/aes128.h"
#include "../cpu/features.h"
#include "exactness.h"
#include "fault_fields.h"
#include "fault_plan.h"
#include "gpu_functions.h"
#include "gates/lanes.h"

namespace sentinel {
namespace {

using injection::FaultSpec;

constexpr uint32_t kMostCores = 4096;
constexpr double kMostVectors = 1e10;
constexpr uint32_t kMostIterations = 1u << 20;  // of one lane in a simulation of gates
constexpr const char* kFloatNames[] = {"fma32", "fma64", "fma16", "bf16"};
constexpr Family kFloatFamilies[] = {Family::kFma32, Family::kFma64, Family::kFma16, Family::kBf16};
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
  out.effect = injection::Effect::kXor;
  return true;
}

// A family whose kernel has no such place would never be falsified.
bool site_fits(Arguments& arguments, const FaultSpec& spec) {
  using injection::Site;
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

bool spec_from(Arguments& arguments, FaultSpec& out) {
  uint32_t site = 0, effect = 0;
  if (!arguments.is_object() || !family_from(arguments, out.family) || !cores_from(arguments, out)) return false;
  if (!rates_from(arguments, out)) return false;
  if (arguments.has("site") && !arguments.choice("site", kSites, 9, site)) return false;
  if (arguments.has("effect") && !arguments.choice("effect", kEffects, 7, effect)) return false;
  out.site = static_cast<injection::Site>(site);
  out.effect = static_cast<injection::Effect>(effect);
  if (!site_fits(arguments, out) || !preset_from(arguments, out)) return false;
  if (!climate_from(arguments, out.climate) || !bursts_from(arguments, out.bursts)) return false;
  if (!optional_u32(arguments, "mask", out.mask) || !optional_u32(arguments, "dataMask", out.data_mask)) return false;
  if (!optional_u32(arguments, "dataValue", out.data_value) || !optional_u32(arguments, "onset", out.onset))
    return false;
  if (!optional_u32(arguments, "seed", out.seed)) return false;
  out.has_lane = arguments.has("lane");
  if (out.has_lane && !arguments.u32("lane", kLanes - 1, out.lane)) return false;
  if ((out.data_value & ~out.data_mask) != 0)
    return arguments.refuse("dataValue", "has bits that dataMask does not select");
  return !arguments.has("same") || arguments.boolean("same", out.same);
}

// inject(spec | text | null): adds a fault to the plan; null ends all.
napi_value inject(napi_env env, napi_callback_info info) {
  napi_value spec = first_argument(env, info);
  napi_valuetype type = napi_undefined;
  napi_typeof(env, spec, &type);
  if (type == napi_null) return injection::clear_plan(), nullptr;
  if (type == napi_string) spec = fault_from_text(env, spec);
  if (spec == nullptr) return nullptr;
  Arguments arguments(env, "inject", spec);
  FaultSpec fault{};
  if (!arguments.is_object() || !only_known_fields(env, arguments, spec) || !spec_from(arguments, fault))
    return nullptr;
  if (!injection::add_to_plan(std::move(fault))) arguments.refuse("argument", "there are 16 faults already");
  return nullptr;
}

// falsified(): how many words were changed so far, and when the first was.
napi_value falsified(napi_env env, napi_callback_info) {
  const Values values(env);
  const injection::Falsified all = injection::falsified();
  return values.object(
      {{"count", values.number(static_cast<double>(all.count))},
       {"firstUs", all.first_us == 0 ? values.null() : values.number(static_cast<double>(all.first_us))}});
}

// exactness({ family, vectors, epoch }): the software arithmetic of fma32 or fma64 against this CPU's
// instructions, of fma16 or bf16 against big integers.
napi_value exactness(napi_env env, napi_callback_info info) {
  Arguments arguments(env, "exactness", first_argument(env, info));
  double vectors = 0;
  uint32_t which = 0, epoch = 0;
  if (!arguments.is_object() || !arguments.choice("family", kFloatNames, 4, which)) return nullptr;
  if (!arguments.number("vectors", 1, kMostVectors, vectors) || !arguments.u32("epoch", UINT32_MAX, epoch))
    return nullptr;
  const Family family = kFloatFamilies[which];
  const bool halves = family == Family::kFma16 || family == Family::kBf16;
  if (!halves && missing_for(family) != nullptr) return arguments.refuse("family", "it cannot run here"), nullptr;
  const ExactnessReport report = (halves ? check_half_exactness : check_exactness)(family, static_cast<uint64_t>(vectors), epoch);
  const Values values(env);
  const napi_value first =
      values.object({{"word", values.number(report.word)},
                     {"operands", values.words({report.operands, report.operands + report.operand_words})},
                     {"software", values.number(report.software)},
                     {"hardware", values.number(report.hardware)}});
  return values.object({{"vectors", values.number(static_cast<double>(report.vectors))},
                        {"mismatches", values.number(static_cast<double>(report.mismatches))},
                        {"first", report.mismatches == 0 ? values.null() : first}});
}

// aes({ key, block }): one AES-128 block, four little-endian words each, in software and through AES-NI.
napi_value aes(napi_env env, napi_callback_info info) {
  const napi_value argument = first_argument(env, info);
  Arguments arguments(env, "aes", argument);
  std::vector<uint32_t> key, block;
  if (!arguments.is_object() || !arguments.words("key", 4, key) || !arguments.words("block", 4, block)) return nullptr;
  if (missing_for(Family::kIntAes) != nullptr) return arguments.refuse("family", "int_aes cannot run here"), nullptr;
  uint32_t round_keys[4 * (kAesRounds + 1)];
  std::vector<uint32_t> encrypted = block, hardware(4), hardware_decrypted(4);
  aes_expand_key(key.data(), round_keys);
  aes_encrypt(encrypted.data(), round_keys);
  std::vector<uint32_t> decrypted = encrypted;
  aes_decrypt(decrypted.data(), round_keys);
  hardware_aes(key.data(), block.data(), hardware.data(), hardware_decrypted.data());
  const Values values(env);
  return values.object({{"encrypted", values.words(encrypted)},
                        {"decrypted", values.words(decrypted)},
                        {"hardwareEncrypted", values.words(hardware)},
                        {"hardwareDecrypted", values.words(hardware_decrypted)}});
}

constexpr const char* kMultiplierNames[] = {"fma32", "tc_fp16", "tc_bf16", "tc_tf32", "tc_fp8"};
constexpr Family kMultiplierFamilies[] = {Family::kFma32, Family::kTcFp16, Family::kTcBf16, Family::kTcTf32,
                                          Family::kTcFp8};

// multiplierCoverage({ family, epoch, lanes, iterations, step? }): gate faults that one multiplier's operands would show.
napi_value multiplier_coverage(napi_env env, napi_callback_info info) {
  Arguments arguments(env, "multiplierCoverage", first_argument(env, info));
  uint32_t which = 0, epoch = 0, iterations = 0, step = 1;
  std::vector<uint32_t> lanes;
  if (!arguments.is_object() || !arguments.choice("family", kMultiplierNames, 5, which)) return nullptr;
  if (!arguments.u32("epoch", UINT32_MAX, epoch) || !arguments.u32("iterations", kMostIterations, iterations))
    return nullptr;
  if (!arguments.u32_list("lanes", 1, kGpuLanes, kGpuLanes - 1, lanes)) return nullptr;
  if (arguments.has("step") && !arguments.u32("step", kMostIterations, step)) return nullptr;
  if (iterations == 0 || step == 0) return arguments.refuse("iterations", "expected more than 0"), nullptr;
  const Family family = kMultiplierFamilies[which];
  const uint64_t seed = seed_of(family, epoch, 0);
  if (family != Family::kFma32 && lanes.size() != 1)
    return arguments.refuse("lanes", "expected one place of the tile"), nullptr;
  const gates::Coverage found = family == Family::kFma32 ? gates::fma32_coverage(seed, lanes, iterations, step)
                                                         : gates::tc_coverage(family, seed, lanes[0], iterations, step);
  const Values values(env);
  return values.object({{"faults", values.number(found.faults)},
                        {"stuckAtFound", values.number(found.stuck_at_found)},
                        {"transitionFound", values.number(found.transition_found)}});
}

}  // namespace

void export_test_functions(napi_env env, napi_value exports) {
  export_function(env, exports, "inject", inject);
  export_function(env, exports, "falsified", falsified);
  export_function(env, exports, "exactness", exactness);
  export_function(env, exports, "aes", aes);
  export_function(env, exports, "multiplierCoverage", multiplier_coverage);
  export_gpu_functions(env, exports);
}

}  // namespace sentinel
