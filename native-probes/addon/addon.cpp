// The native surface; index.d.ts describes it. Every function is synchronous and throws for wrong arguments only:
// whatever happens to an execution is part of its report.
#include "../cpu/features.h"
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

bool request_from(napi_env env, napi_value object, Request& out) {
  Arguments arguments(env, "execute", object);
  if (!arguments.is_object() || !family_from(arguments, out.family)) return false;
  if (!arguments.u32("epoch", UINT32_MAX, out.epoch) || !arguments.u32("index", UINT32_MAX, out.index)) return false;
  if (!arguments.u32_list("sms", 1, kMostSms, kMostCpus - 1, out.sms)) return false;
  if (!arguments.u32_list("goldenCpus", 1, 2, kMostCpus - 1, out.golden_cpus)) return false;
  const char* missing = missing_for(out.family);
  return missing == nullptr || arguments.refuse("family", std::string("this CPU has no ") + missing);
}

napi_value execute_call(napi_env env, napi_callback_info callback_info) {
  Request request{};
  if (!request_from(env, first_argument(env, callback_info), request)) return nullptr;
  const Report report = execute(request);
  return report_value(Values(env), request, report);
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
