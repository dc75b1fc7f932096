#include "test_functions.h"

#include "../addon/values.h"
#include "../core/aes128.h"
#include "../cpu/features.h"
#include "exactness.h"
#include "fault_fields.h"
#include "fault_plan.h"
#include "fault_values.h"
#include "gpu_functions.h"
#include "gates/lanes.h"

namespace sentinel {
namespace {

constexpr double kMostVectors = 1e10;
constexpr uint32_t kMostIterations = 1u << 20;  // of one lane in a simulation of gates
constexpr const char* kFloatNames[] = {"fma32", "fma64", "fma16", "bf16"};
constexpr Family kFloatFamilies[] = {Family::kFma32, Family::kFma64, Family::kFma16, Family::kBf16};

// inject(spec | text | null): adds a fault to the plan; null ends all.
napi_value inject(napi_env env, napi_callback_info info) {
  napi_value spec = first_argument(env, info);
  napi_valuetype type = napi_undefined;
  napi_typeof(env, spec, &type);
  if (type == napi_null) return injection::clear_plan(), nullptr;
  if (type == napi_string) spec = fault_from_text(env, spec);
  if (spec == nullptr) return nullptr;
  Arguments arguments(env, "inject", spec);
  injection::FaultSpec fault{};
  if (!arguments.is_object() || !only_known_fields(env, arguments, spec) || !fault_from(arguments, fault))
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
