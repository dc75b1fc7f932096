#include "nvml.h"

#include "../nvml/telemetry.h"
#include "../nvml/xids.h"
#include "values.h"

namespace sentinel {
namespace {

constexpr size_t kMostUuidBytes = 95;

napi_value error_value(const Values& values, const nvml::Error& error) {
  if (!error) return values.null();
  return values.object({{"call", values.text(error.call)},
                        {"code", values.number(error.code)},
                        {"name", values.text(nvml::name_of(error.code))}});
}

napi_value telemetry_call(napi_env env, napi_callback_info callback_info) {
  nvml::TelemetryRequest request{};
  Arguments arguments(env, "gpuTelemetry", first_argument(env, callback_info));
  if (!arguments.is_object() || !arguments.text("uuid", kMostUuidBytes, request.uuid) ||
      !arguments.boolean("nvlink", request.nvlink) || !arguments.boolean("pcie", request.pcie)) {
    return nullptr;
  }
  const nvml::Telemetry telemetry = nvml::read_telemetry(request);
  const Values values(env);
  const napi_value fields = values.empty_object();
  for (const nvml::Field& field : telemetry.fields) {
    values.set(fields, field.name, field.is_text ? values.text(field.text) : values.number(field.number));
  }
  return values.object({{"error", error_value(values, telemetry.error)}, {"fields", fields}});
}

napi_value xids_call(napi_env env, napi_callback_info) {
  const nvml::Xids xids = nvml::take_xids();
  const Values values(env);
  std::vector<napi_value> events;
  for (const nvml::Xid& xid : xids.events) {
    events.push_back(values.object({{"uuid", values.text(xid.uuid)},
                                    {"xid", values.number(static_cast<double>(xid.number))},
                                    {"timeUs", values.number(static_cast<double>(xid.time_us))}}));
  }
  return values.object({{"error", error_value(values, xids.error)}, {"events", values.list(events)}});
}

}  // namespace

void export_nvml_functions(napi_env env, napi_value exports) {
  export_function(env, exports, "gpuTelemetry", telemetry_call);
  export_function(env, exports, "gpuXids", xids_call);
}

}  // namespace sentinel
