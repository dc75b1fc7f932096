#include "telemetry.h"

#include "inventory.h"

namespace sentinel {
namespace nvml {
namespace {

constexpr double kMilli = 1e-3;

// Asks one device. After an error that ends all reading (the GPU is lost) nothing more is asked.
class Reader {
 public:
  Reader(const Api& api, Device device, Telemetry& out) : api_(api), device_(device), out_(out) {}

  void read(const TelemetryRequest& request) {
    power();
    clocks();
    utilization();
    ecc();
    rows();
    retired_pages();
    fabric();
    if (request.pcie) pcie();
    if (request.nvlink) nvlink();
  }

 private:
  // Whether the function is there and answered.
  template <typename Function, typename... Arguments>
  bool ask(const char* name, Function function, Arguments... arguments) {
    if (function == nullptr || out_.error) return false;
    const Return result = function(device_, arguments...);
    if (is_gone(result)) out_.error = {name, result};
    return result == kSuccess;
  }

  void number(const std::string& name, double value) { out_.fields.push_back({name, false, value, ""}); }
  void text(const std::string& name, const std::string& value) { out_.fields.push_back({name, true, 0, value}); }

  void quantity(const char* name, const char* call, Return (*function)(Device, uint32_t*), double unit = 1) {
    uint32_t value = 0;
    if (ask(call, function, &value)) number(name, value * unit);
  }

  void power() {
    uint32_t celsius = 0;
    if (ask("nvmlDeviceGetTemperature", api_.temperature, kTemperatureGpu, &celsius)) number("temperature_c", celsius);
    field("temperature_memory_c", kFieldMemoryTemperature, 1);
    quantity("power_w", "nvmlDeviceGetPowerUsage", api_.power, kMilli);
    field("power_average_w", kFieldPowerAverage, kMilli);
    field("power_instant_w", kFieldPowerInstant, kMilli);
    quantity("power_limit_w", "nvmlDeviceGetEnforcedPowerLimit", api_.power_limit, kMilli);
    unsigned long long millijoules = 0;
    if (ask("nvmlDeviceGetTotalEnergyConsumption", api_.energy, &millijoules)) number("energy_j", millijoules * kMilli);
  }

  void field(const char* name, uint32_t id, double unit) {
    FieldValue value{};
    value.field = id;
    if (!ask("nvmlDeviceGetFieldValues", api_.field_values, 1, &value) || value.result != kSuccess) return;
    number(name, value_of(value) * unit);
  }

  static double value_of(const FieldValue& field) {
    switch (field.type) {
      case kDouble: return field.value.as_double;
      case kUnsignedInt: return field.value.as_unsigned;
      case kUnsignedLong: return static_cast<double>(field.value.as_unsigned_long);
      case kUnsignedLongLong: return static_cast<double>(field.value.as_unsigned_long_long);
      case kSignedLongLong: return static_cast<double>(field.value.as_long_long);
      case kSignedInt: return field.value.as_int;
      case kUnsignedShort: return field.value.as_unsigned_short;
    }
    return field.value.as_unsigned;
  }

  void clocks() {
    const struct {
      Clock clock;
      const char* name;
    } all[] = {{kClockGraphics, "clock_graphics_mhz"}, {kClockSm, "clock_sm_mhz"}, {kClockMemory, "clock_memory_mhz"}};
    for (const auto& each : all) {
      uint32_t mhz = 0;
      if (ask("nvmlDeviceGetClockInfo", api_.clock, static_cast<uint32_t>(each.clock), &mhz)) number(each.name, mhz);
    }
    unsigned long long reasons = 0;
    // The second name is that of drivers before 535.
    if (ask("nvmlDeviceGetCurrentClocksEventReasons", api_.clock_event_reasons, &reasons) ||
        ask("nvmlDeviceGetCurrentClocksThrottleReasons", api_.clock_throttle_reasons, &reasons)) {
      number("clock_event_reasons", static_cast<double>(reasons));
    }
  }

  void utilization() {
    Utilization busy{};
    if (ask("nvmlDeviceGetUtilizationRates", api_.utilization, &busy)) {
      number("utilization_gpu_pct", busy.gpu);
      number("utilization_memory_pct", busy.memory);
    }
    Memory memory{};
    if (ask("nvmlDeviceGetMemoryInfo", api_.memory, &memory)) {
      number("memory_total_bytes", static_cast<double>(memory.total));
      number("memory_used_bytes", static_cast<double>(memory.used));
    }
  }

  void ecc() {
    uint32_t current = 0, pending = 0;
    if (ask("nvmlDeviceGetEccMode", api_.ecc_mode, &current, &pending)) number("ecc_enabled", current);
    static const char* const types[] = {"corrected", "uncorrected"};
    static const char* const counters[] = {"volatile", "aggregate"};
    for (uint32_t type : {kCorrected, kUncorrected}) {
      for (uint32_t counter : {kVolatile, kAggregate}) {
        ecc_counters(std::string("ecc_") + types[type] + "_" + counters[counter] + "_", type, counter);
      }
    }
  }

  void ecc_counters(const std::string& prefix, uint32_t type, uint32_t counter) {
    static const char* const locations[] = {"l1",           "l2",          "dram", "register_file", "texture_memory",
                                            "texture_shared", "cbu", "sram"};
    unsigned long long errors = 0;
    if (ask("nvmlDeviceGetTotalEccErrors", api_.ecc_total, type, counter, &errors)) {
      number(prefix + "total", static_cast<double>(errors));
    }
    for (uint32_t location = 0; location < sizeof locations / sizeof locations[0]; location++) {
      if (!ask("nvmlDeviceGetMemoryErrorCounter", api_.ecc_counter, type, counter, location, &errors)) continue;
      number(prefix + locations[location], static_cast<double>(errors));
    }
  }

  void rows() {
    uint32_t corrected = 0, uncorrected = 0, pending = 0, failed = 0;
    if (ask("nvmlDeviceGetRemappedRows", api_.remapped_rows, &corrected, &uncorrected, &pending, &failed)) {
      number("rows_remapped_corrected", corrected);
      number("rows_remapped_uncorrected", uncorrected);
      number("row_remap_pending", pending);
      number("row_remap_failed", failed);
    }
    RowRemapperHistogram banks{};
    if (ask("nvmlDeviceGetRowRemapperHistogram", api_.row_remapper, &banks)) {
      number("row_remap_banks_max", banks.max);
      number("row_remap_banks_high", banks.high);
      number("row_remap_banks_partial", banks.partial);
      number("row_remap_banks_low", banks.low);
      number("row_remap_banks_none", banks.none);
    }
  }

  void retired_pages() {
    const struct {
      RetirementCause cause;
      const char* name;
    } all[] = {{kMultipleSingleBit, "retired_pages_single_bit"}, {kDoubleBit, "retired_pages_double_bit"}};
    for (const auto& each : all) {
      if (api_.retired_pages == nullptr || out_.error) break;
      uint32_t count = 0;  // no room: the library answers how much there would have to be
      const Return result = api_.retired_pages(device_, each.cause, &count, nullptr);
      if (is_gone(result)) out_.error = {"nvmlDeviceGetRetiredPages", result};
      if (result == kSuccess || result == kInsufficientSize) number(each.name, count);
    }
    quantity("retired_pages_pending", "nvmlDeviceGetRetiredPagesPendingStatus", api_.retired_pending);
  }

  void pcie() {
    quantity("pcie_replays", "nvmlDeviceGetPcieReplayCounter", api_.pcie_replays);
    quantity("pcie_link_generation", "nvmlDeviceGetCurrPcieLinkGeneration", api_.pcie_generation);
    quantity("pcie_link_width", "nvmlDeviceGetCurrPcieLinkWidth", api_.pcie_width);
    quantity("pcie_max_link_generation", "nvmlDeviceGetMaxPcieLinkGeneration", api_.pcie_most_generation);
    quantity("pcie_max_link_width", "nvmlDeviceGetMaxPcieLinkWidth", api_.pcie_most_width);
  }

  // Sums over the links that are up, and of each link what names a bad cable. A counter that no link offers is absent.
  void nvlink() {
    static const char* const names[] = {"replay", "recovery", "crc_flit", "crc_data", "ecc_data"};
    constexpr uint32_t kinds = sizeof names / sizeof names[0];
    constexpr bool of_each_link[kinds] = {true, false, true, false, false};
    double sums[kinds] = {};
    bool offered[kinds] = {};
    uint32_t links = 0, active = 0;
    for (uint32_t link = 0; link < kMostLinks; link++) {
      uint32_t up = 0;
      if (!ask("nvmlDeviceGetNvLinkState", api_.nvlink_state, link, &up)) continue;
      links++;
      if (up == 0) continue;
      active++;
      for (uint32_t kind = 0; kind < kinds; kind++) {
        unsigned long long errors = 0;
        if (!ask("nvmlDeviceGetNvLinkErrorCounter", api_.nvlink_errors, link, kind, &errors)) continue;
        offered[kind] = true;
        sums[kind] += static_cast<double>(errors);
        if (of_each_link[kind]) {
          number("nvlink_" + std::to_string(link) + "_" + names[kind] + "_errors", static_cast<double>(errors));
        }
      }
    }
    if (links == 0) return;
    number("nvlink_links", links);
    number("nvlink_links_active", active);
    for (uint32_t kind = 0; kind < kinds; kind++) {
      if (offered[kind]) number(std::string("nvlink_") + names[kind] + "_errors", sums[kind]);
    }
  }

  void fabric() {
    static const char* const states[] = {"", "not started", "in progress", "completed"};
    FabricInfo info{};
    info.version = kFabricInfoVersion2;
    if (!ask("nvmlDeviceGetGpuFabricInfoV", api_.fabric_info, &info)) return;
    if (info.state == 0 || info.state >= sizeof states / sizeof states[0]) return;
    text("fabric_state", states[info.state]);
    number("fabric_health", info.health);
    if (info.state == 3) number("fabric_status", info.status);
  }

  const Api& api_;
  Device device_;
  Telemetry& out_;
};

// The GPU that a MIG instance is part of; the device itself where it is none.
Device gpu_of(const Api& api, Device device) {
  Device parent = nullptr;
  return api.mig_parent != nullptr && api.mig_parent(device, &parent) == kSuccess ? parent : device;
}

void add_identity(const Api& api, const TelemetryRequest& request, const DeviceFacts& gpu, Telemetry& out) {
  const struct {
    const char* name;
    std::string value;
  } all[] = {{"name", gpu.name},
             {"serial", gpu.serial},
             {"pci_bus_id", gpu.pci_bus_id},
             {"vbios", gpu.vbios},
             {"driver_version", read_text(api.driver_version)},
             {"cuda_version", cuda_version(api)},
             {"parent_uuid", gpu.uuid == request.uuid ? "" : gpu.uuid}};
  for (const auto& each : all) {
    if (!each.value.empty()) out.fields.push_back({each.name, true, 0, each.value});
  }
}

}  // namespace

Telemetry read_telemetry(const TelemetryRequest& request) {
  Telemetry out;
  const Opened library = open_library();
  out.error = library.error;
  if (library.api == nullptr) return out;
  const Api& api = *library.api;
  Device device = nullptr;
  const Return found = api.by_uuid == nullptr ? kFunctionNotFound : api.by_uuid(request.uuid.c_str(), &device);
  if (found != kSuccess) {
    out.error = {"nvmlDeviceGetHandleByUUID", found};
  } else {
    const Device gpu = gpu_of(api, device);
    add_identity(api, request, facts_of(api, gpu), out);
    Reader(api, gpu, out).read(request);
  }
  return out;
}

}  // namespace nvml
}  // namespace sentinel
