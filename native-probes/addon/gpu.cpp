#include "gpu.h"

#include <memory>

#include "../cpu/features.h"
#include "../cuda/inventory.h"
#include "../cuda/known_answers.h"
#include "reports.h"

namespace sentinel {
namespace {

constexpr size_t kMostUuidBytes = 95;
constexpr double kMostPriority = 1000;
constexpr const char* kVariants[] = {"auto", "full", "small"};

// The one GPU of this process, from gpuOpen to the end. The driver takes back what it had when the process is gone:
// destroying a context waits for its kernels, and a process whose kernel hangs could not end.
std::unique_ptr<cuda::Gpu>& opened() {
  static auto* const gpu = new std::unique_ptr<cuda::Gpu>;
  return *gpu;
}

napi_value refuse(napi_env env, const std::string& why) {
  napi_throw_error(env, "ERR_GPU", why.c_str());
  return nullptr;
}

cuda::Gpu* need_gpu(napi_env env, const char* call) {
  if (opened() == nullptr) refuse(env, std::string(call) + ": no device is open");
  return opened().get();
}

napi_value device_value(const Values& values, const cuda::GpuDevice& device) {
  return values.object({{"uuid", values.text(device.uuid)},
                        {"name", values.text(device.name)},
                        {"computeCapability", values.list({values.number(device.major), values.number(device.minor)})},
                        {"architecture", values.text_or_null(device.architecture)},
                        {"missing", values.text_or_null(device.missing)},
                        {"smCount", values.number(device.sm_count)},
                        {"memoryBytes", values.number(static_cast<double>(device.memory_bytes))},
                        {"l2Bytes", values.number(static_cast<double>(device.l2_bytes))},
                        {"parentUuid", values.text_or_null(device.parent_uuid)},
                        {"serial", values.text_or_null(device.serial)},
                        {"pciBusId", values.text_or_null(device.pci_bus_id)},
                        {"driverVersion", values.text_or_null(device.driver_version)},
                        {"vbiosVersion", values.text_or_null(device.vbios)},
                        {"cudaVersion", values.text_or_null(device.cuda_version)}});
}

napi_value census_call(napi_env env, napi_callback_info) {
  const cuda::Census census = cuda::take_full_census();
  const Values values(env);
  std::vector<napi_value> devices;
  for (const cuda::GpuDevice& device : census.devices) devices.push_back(device_value(values, device));
  return values.object({{"built", values.boolean(census.built)},
                        {"missing", values.text_or_null(census.missing)},
                        {"devices", values.list(devices)}});
}

bool open_request_from(napi_env env, napi_value object, cuda::OpenRequest& out) {
  Arguments arguments(env, "gpuOpen", object);
  double priority = 0;
  uint32_t variant = 0;
  if (!arguments.is_object() || !arguments.text("uuid", kMostUuidBytes, out.uuid)) return false;
  if (!arguments.number("streamPriority", -kMostPriority, kMostPriority, priority)) return false;
  if (!arguments.boolean("useGraphs", out.use_graphs) || !arguments.choice("variant", kVariants, 3, variant))
    return false;
  out.stream_priority = static_cast<int>(priority);
  out.variant = static_cast<cuda::VariantChoice>(variant);
  return true;
}

napi_value family_value(const Values& values, const cuda::GpuFamily& family) {
  return values.object({{"name", values.text(family.info->name)},
                        {"probeVersion", values.number(family.shape.probe_version)},
                        {"lanes", values.number(kGpuLanes)},
                        {"iterations", values.number(family.shape.iterations)},
                        {"available", values.boolean(family.missing.empty())},
                        {"missing", values.text_or_null(family.missing)},
                        {"instructions", instructions_of(values, family.instructions)}});
}

napi_value opened_value(const Values& values, const cuda::Gpu& gpu) {
  std::vector<napi_value> families, sms;
  for (const cuda::GpuFamily& family : gpu.families()) families.push_back(family_value(values, family));
  for (uint32_t sm : gpu.sms()) sms.push_back(values.number(sm));
  const cuda::SwitchCost& cost = gpu.switch_cost();
  return values.object({{"device", device_value(values, gpu.device())},
                        {"families", values.list(families)},
                        {"variant", values.text(gpu.variant() == cuda::Variant::kSmall ? "small" : "full")},
                        {"sms", values.list(sms)},
                        {"slots", values.number(gpu.memory().layout().slots)},
                        {"arenaBytes", values.number(static_cast<double>(gpu.memory().bytes()))},
                        {"switchUs", values.number(cost.us)},
                        {"switchMeasured", values.boolean(cost.measured)},
                        {"calibrationUs", values.number(cost.took_ns / 1000.0)}});
}

napi_value open_call(napi_env env, napi_callback_info info) {
  cuda::OpenRequest request;
  if (!open_request_from(env, first_argument(env, info), request)) return nullptr;
  if (opened() != nullptr) return refuse(env, "gpuOpen: a device is open already");
  std::string why;
  opened() = cuda::Gpu::open(request, why);
  return opened() == nullptr ? refuse(env, "gpuOpen: " + why) : opened_value(Values(env), *opened());
}

bool request_from(napi_env env, napi_value object, Request& out) {
  Arguments arguments(env, "gpuExecute", object);
  return arguments.is_object() && gpu_family_from(arguments, out.family) &&
         arguments.u32("epoch", UINT32_MAX, out.epoch) && arguments.u32("index", UINT32_MAX, out.index) &&
         arguments.u32_list("sms", 1, cuda::kMostSlots, cuda::kMostSlots - 1, out.sms) &&
         arguments.u32_list("goldenCpus", 1, 2, kMostCpus - 1, out.golden_cpus);
}

napi_value execute_call(napi_env env, napi_callback_info info) {
  Request request{};
  if (!request_from(env, first_argument(env, info), request)) return nullptr;
  cuda::Gpu* gpu = need_gpu(env, "gpuExecute");
  if (gpu == nullptr) return nullptr;
  const cuda::GpuReport report = cuda::execute_on(*gpu, request);
  const Values values(env);
  const napi_value out = report_value(values, request, report.report);
  values.set(out, "gpu",
             values.object({{"chargedUs", values.number(report.charged_us)},
                            {"deviceUs", values.number(report.device_us)},
                            {"hostUs", values.number(report.host_us)},
                            {"launches", values.number(report.launches)}}));
  return out;
}

napi_value known_answers_call(napi_env env, napi_callback_info) {
  cuda::Gpu* gpu = need_gpu(env, "gpuKnownAnswers");
  if (gpu == nullptr) return nullptr;
  const Values values(env);
  std::vector<napi_value> items;
  for (const cuda::GpuKnownAnswerReport& entry : cuda::run_gpu_known_answers(*gpu)) {
    const napi_value item = known_answer_value(values, entry.report);
    values.set(item, "sm", values.number(entry.sm));
    items.push_back(item);
  }
  return values.list(items);
}

}  // namespace

cuda::Gpu* opened_gpu() { return opened().get(); }

bool gpu_family_from(Arguments& arguments, Family& out) {
  const char* names[cuda::kGpuFamilyCount];
  for (uint32_t k = 0; k < cuda::kGpuFamilyCount; k++) names[k] = cuda::kGpuFamilies[k].name;
  uint32_t which = 0;
  if (!arguments.choice("family", names, cuda::kGpuFamilyCount, which)) return false;
  out = cuda::kGpuFamilies[which].family;
  return true;
}

void export_gpu_surface(napi_env env, napi_value exports) {
  export_function(env, exports, "gpuCensus", census_call);
  export_function(env, exports, "gpuOpen", open_call);
  export_function(env, exports, "gpuExecute", execute_call);
  export_function(env, exports, "gpuKnownAnswers", known_answers_call);
}

}  // namespace sentinel
