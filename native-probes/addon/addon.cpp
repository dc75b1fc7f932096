// The native surface; index.d.ts describes it. Every function is synchronous and throws for wrong arguments only:
// whatever happens to an execution is part of its report.
#include "../cpu/features.h"
#include "../cpu/slowdown.h"
#include "gpu.h"
#include "nvml.h"
#include "reports.h"

#ifdef SENTINEL_FAULT_INJECTION
#include "../test-build/test_functions.h"
#endif

namespace sentinel {
namespace {

constexpr uint32_t kApiVersion = 1;
constexpr uint32_t kMostSms = 4096;  // in one call
// Of one measurement of the slowdown: whatever is asked for, it ends within two minutes.
constexpr uint32_t kMostRounds = 1000, kMostRoundExecutions = 16, kMostGapMs = 100, kMostLimitMs = 60000;

napi_value family_value(const Values& values, const FamilyInfo& info) {
  const FamilyShape shape = shape_of(info.family);
  const char* missing = missing_for(info.family);
  return values.object({{"name", values.text(info.name)},
                        {"probeVersion", values.number(shape.probe_version)},
                        {"lanes", values.number(kLanes)},
                        {"iterations", values.number(shape.iterations)},
                        {"available", values.boolean(missing == nullptr)},
                        {"missing", missing == nullptr ? values.null() : values.text(missing)},
                        {"instructions", instructions_of(values, info.instructions)}});
}

napi_value features_value(const Values& values) {
  const CpuFeatures& cpu = cpu_features();
  std::vector<napi_value> items;
  const struct {
    bool present;
    const char* name;
  } all[] = {{cpu.sse41, "sse4.1"}, {cpu.avx2, "avx2"}, {cpu.fma, "fma3"},
             {cpu.f16c, "f16c"},    {cpu.aes, "aes"},   {cpu.popcnt, "popcnt"},
             {cpu.avx512_fp16, "avx512-fp16"}, {cpu.avx512_bf16, "avx512-bf16"}, {cpu.amx, "amx"}};
  for (const auto& feature : all) {
    if (feature.present) items.push_back(values.text(feature.name));
  }
  return values.list(items);
}

napi_value info(napi_env env, napi_callback_info) {
  const Values values(env);
  const CpuFeatures& cpu = cpu_features();
  std::vector<napi_value> cpus, families;
  for (uint32_t number : allowed_cpus()) cpus.push_back(values.number(number));
  for (const FamilyInfo& family : kFamilies) families.push_back(family_value(values, family));
#ifdef SENTINEL_FAULT_INJECTION
  const bool test_build = true;
#else
  const bool test_build = false;
#endif
  return values.object({{"apiVersion", values.number(kApiVersion)},
                        {"testBuild", values.boolean(test_build)},
                        {"backend", values.text("cpu")},
                        {"cpuModel", values.text(cpu.model)},
                        {"vendor", values.text(cpu.vendor)},
                        {"hypervisor", values.boolean(cpu.hypervisor)},
                        {"features", features_value(values)},
                        {"cpus", values.list(cpus)},
                        {"families", values.list(families)}});
}

// Which execution, and who computes its golden; on which SMs is the caller's.
bool execution_from(Arguments& arguments, Request& out) {
  if (!arguments.is_object() || !family_from(arguments, out.family)) return false;
  if (!arguments.u32("epoch", UINT32_MAX, out.epoch) || !arguments.u32("index", UINT32_MAX, out.index)) return false;
  if (!arguments.u32_list("goldenCpus", 1, 2, kMostCpus - 1, out.golden_cpus)) return false;
  const char* missing = missing_for(out.family);
  return missing == nullptr || arguments.refuse("family", std::string("this CPU has no ") + missing);
}

bool request_from(napi_env env, napi_value object, Request& out) {
  Arguments arguments(env, "execute", object);
  return execution_from(arguments, out) && arguments.u32_list("sms", 1, kMostSms, kMostCpus - 1, out.sms);
}

// An integer in 1..most.
bool positive(Arguments& arguments, const char* field, uint32_t most, uint32_t& out) {
  return arguments.u32(field, most, out) && (out > 0 || arguments.refuse(field, "expected at least 1"));
}

bool slowdown_from(napi_env env, napi_value object, SlowdownRequest& out) {
  Arguments arguments(env, "measureSlowdown", object);
  uint32_t cpu = 0;
  if (!execution_from(arguments, out.execution) || !arguments.u32("cpu", kMostCpus - 1, cpu)) return false;
  out.execution.sms = {cpu};
  return positive(arguments, "rounds", kMostRounds, out.rounds) &&
         positive(arguments, "executions", kMostRoundExecutions, out.executions) &&
         arguments.u32("gapMs", kMostGapMs, out.gap_ms) && positive(arguments, "limitMs", kMostLimitMs, out.limit_ms);
}

napi_value execute_call(napi_env env, napi_callback_info callback_info) {
  Request request{};
  if (!request_from(env, first_argument(env, callback_info), request)) return nullptr;
  const Report report = execute(request);
  return report_value(Values(env), request, report);
}

napi_value progress_value(const Values& values, const Progress& progress) {
  return values.object({{"us", values.number(progress.ns / 1000.0)},
                        {"steps", values.number(static_cast<double>(progress.steps))}});
}

napi_value measure_slowdown_call(napi_env env, napi_callback_info callback_info) {
  SlowdownRequest request;
  if (!slowdown_from(env, first_argument(env, callback_info), request)) return nullptr;
  const SlowdownReport report = measure_slowdown(request);
  const Values values(env);
  std::vector<napi_value> rounds;
  for (const SlowdownRound& round : report.rounds) {
    rounds.push_back(values.object({{"probed", progress_value(values, round.probed)},
                                    {"alone", progress_value(values, round.alone)},
                                    {"executed", values.number(round.executed)},
                                    {"chargedUs", values.number(round.charged_ns / 1000.0)}}));
  }
  return values.object({{"reason", values.text_or_null(report.reason)}, {"rounds", values.list(rounds)}});
}

napi_value known_answers_call(napi_env env, napi_callback_info callback_info) {
  uint32_t sm = 0;
  if (!integer_from(env, first_argument(env, callback_info), kMostCpus - 1, sm)) {
    Arguments(env, "knownAnswers", nullptr)
        .refuse("sm", "expected an integer from 0 to " + std::to_string(kMostCpus - 1));
    return nullptr;
  }
  const Values values(env);
  std::vector<napi_value> items;
  for (const KnownAnswerReport& report : run_known_answers(sm)) {
    items.push_back(known_answer_value(values, report));
  }
  return values.list(items);
}

napi_value initialise(napi_env env, napi_value exports) {
  export_function(env, exports, "info", info);
  export_function(env, exports, "execute", execute_call);
  export_function(env, exports, "measureSlowdown", measure_slowdown_call);
  export_function(env, exports, "knownAnswers", known_answers_call);
  export_gpu_surface(env, exports);
  export_nvml_functions(env, exports);
#ifdef SENTINEL_FAULT_INJECTION
  export_test_functions(env, exports);
#endif
  return exports;
}

}  // namespace
}  // namespace sentinel

NAPI_MODULE(NODE_GYP_MODULE_NAME, sentinel::initialise)
