// A libnvidia-ml.so.1 for tests: it says what `fake-gpu.conf` beside it says, which it reads again at every call, so that a
// test can change a GPU while a process looks at it. Besides `driver` and `device`, which the fake driver reads too:
//
//   nvml uuid=GPU-… temperature=55 power=300000 ecc_uncorrected_volatile_location_2=1 hang=nvmlDeviceGetPowerUsage lost=1 …
//   mig uuid=MIG-… parent=GPU-… gi=1 ci=0 sms=14 memory_mib=9856 name=…
//   xid uuid=GPU-… number=79 gi=1 ci=0        each is delivered once to a process, in the order of the file
//
// A key that an `nvml` entry lacks is NVML_ERROR_NOT_SUPPORTED. error_FUNCTION=15 gives another code, lost=1 gives
// NVML_ERROR_GPU_IS_LOST from every function of the GPU but its handle.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <deque>

#include "../../nvml/api.h"
#include "../fake-gpu/config.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace {

using namespace sentinel::nvml;
using sentinel::fake::Config;
using sentinel::fake::Entry;

// A GPU or a MIG instance; handles live as long as the process.
struct Handle {
  std::string uuid;
};

std::deque<Handle> handles;

Device handle_of(const std::string& uuid) {
  for (Handle& handle : handles) {
    if (handle.uuid == uuid) return reinterpret_cast<Device>(&handle);
  }
  handles.push_back({uuid});
  return reinterpret_cast<Device>(&handles.back());
}

const std::string& uuid_of(Device device) { return reinterpret_cast<Handle*>(device)->uuid; }

const char* const kKeys[] = {
    "uuid", "serial", "vbios", "temperature", "temperature_memory", "power", "power_average", "power_instant", "power_limit",
    "energy", "clock_0", "clock_1", "clock_2", "reasons", "utilization", "memory_used", "ecc", "remapped_rows", "row_remapper",
    "retired_single", "retired_double", "retired_pending", "pcie_replays", "pcie_generation", "pcie_width",
    "pcie_max_generation", "pcie_max_width", "nvlink", "fabric_state", "fabric_health", "fabric_status", "mig", "lost", "hang"};
const char* const kPrefixes[] = {"ecc_corrected_", "ecc_uncorrected_", "nvlink_", "error_"};

bool is_known(const std::string& key) {
  for (const char* known : kKeys) {
    if (key == known) return true;
  }
  for (const char* prefix : kPrefixes) {
    if (key.rfind(prefix, 0) == 0) return true;
  }
  return false;
}

Config configuration() {
  Config config = sentinel::fake::read_config(reinterpret_cast<const void*>(&is_known));
  for (const Entry& entry : config.of("nvml")) {
    for (const std::string& key : entry.keys()) {
      if (!is_known(key)) sentinel::fake::give_up("fake-gpu.conf: nvml does not know " + key);
    }
  }
  return config;
}

// The entry of a word that has this uuid; one without keys where there is none.
Entry entry_of(const Config& config, const char* word, const std::string& uuid) {
  for (const Entry& entry : config.of(word)) {
    if (entry.text("uuid", "") == uuid) return entry;
  }
  return Entry(word, {});
}

[[noreturn]] void hang() {
  while (true) pause();
}

// What a function of a device answers before it is asked for anything.
Return enter(Device device, const char* function, const Entry& nvml) {
  if (device == nullptr) return kInvalidArgument;
  if (nvml.text("hang", "") == function) hang();
  if (nvml.number("lost", 0) != 0) return kGpuIsLost;
  return static_cast<Return>(nvml.number(std::string("error_") + function, kSuccess));
}

Entry nvml_of(Device device) { return entry_of(configuration(), "nvml", device == nullptr ? "" : uuid_of(device)); }

template <typename Number>
Return give(Device device, const char* function, const std::string& key, Number* out) {
  const Entry nvml = nvml_of(device);
  if (const Return result = enter(device, function, nvml)) return result;
  if (!nvml.has(key)) return kNotSupported;
  *out = static_cast<Number>(nvml.number(key, 0));
  return kSuccess;
}

// Numbers separated by commas.
Return give_list(Device device, const char* function, const char* key, std::initializer_list<uint32_t*> out) {
  const Entry nvml = nvml_of(device);
  if (const Return result = enter(device, function, nvml)) return result;
  if (!nvml.has(key)) return kNotSupported;
  const std::vector<uint32_t> numbers = nvml.list(key);
  size_t k = 0;
  for (uint32_t* each : out) *each = numbers.at(k++);
  return kSuccess;
}

Return give_text(const std::string& text, char* out, uint32_t size) {
  if (text.empty()) return kNotSupported;
  if (text.size() >= size) return kInsufficientSize;
  strcpy(out, text.c_str());
  return kSuccess;
}

bool is_instance(const std::string& uuid) { return uuid.rfind("MIG-", 0) == 0; }

std::vector<Entry> instances_of(const std::string& gpu) {
  std::vector<Entry> found;
  for (const Entry& entry : configuration().of("mig")) {
    if (entry.text("parent", "") == gpu) found.push_back(entry);
  }
  return found;
}

size_t delivered_xids = 0;
std::vector<std::string> registered;

}  // namespace

EXPORTED Return nvmlInit_v2() {
  for (const Entry& entry : configuration().of("driver")) {
    if (const auto error = entry.number("nvml_init", 0)) return static_cast<Return>(error);
  }
  return kSuccess;
}

EXPORTED Return nvmlSystemGetDriverVersion(char* out, uint32_t size) {
  for (const Entry& entry : configuration().of("driver")) return give_text(entry.text("nvml_version", ""), out, size);
  return kNotSupported;
}

EXPORTED Return nvmlSystemGetCudaDriverVersion_v2(int* out) {
  *out = 12090;
  for (const Entry& entry : configuration().of("driver")) *out = static_cast<int>(entry.number("version", 12090));
  return kSuccess;
}

EXPORTED Return nvmlDeviceGetCount_v2(uint32_t* out) {
  *out = static_cast<uint32_t>(configuration().of("device").size());
  return kSuccess;
}

EXPORTED Return nvmlDeviceGetHandleByIndex_v2(uint32_t index, Device* out) {
  const std::vector<Entry> devices = configuration().of("device");
  if (index >= devices.size()) return kInvalidArgument;
  *out = handle_of(devices[index].text("uuid", ""));
  return kSuccess;
}

EXPORTED Return nvmlDeviceGetHandleByUUID(const char* uuid, Device* out) {
  const Config config = configuration();
  if (!entry_of(config, "device", uuid).has("uuid") && !entry_of(config, "mig", uuid).has("uuid")) return kNotFound;
  *out = handle_of(uuid);
  return enter(*out, "nvmlDeviceGetHandleByUUID", Entry("nvml", {}));
}

EXPORTED Return nvmlDeviceGetUUID(Device device, char* out, uint32_t size) { return give_text(uuid_of(device), out, size); }

EXPORTED Return nvmlDeviceGetName(Device device, char* out, uint32_t size) {
  const std::string& uuid = uuid_of(device);
  return give_text(entry_of(configuration(), is_instance(uuid) ? "mig" : "device", uuid).text("name", ""), out, size);
}

EXPORTED Return nvmlDeviceGetSerial(Device device, char* out, uint32_t size) {
  return give_text(nvml_of(device).text("serial", ""), out, size);
}

EXPORTED Return nvmlDeviceGetVbiosVersion(Device device, char* out, uint32_t size) {
  return give_text(nvml_of(device).text("vbios", ""), out, size);
}

EXPORTED Return nvmlDeviceGetPciInfo_v3(Device device, PciInfo* out) {
  const std::string id = entry_of(configuration(), "device", uuid_of(device)).text("pci", "");
  return give_text(id, out->bus_id, sizeof out->bus_id);
}

EXPORTED Return nvmlDeviceGetCudaComputeCapability(Device device, int* major, int* minor) {
  const std::string text = entry_of(configuration(), "device", uuid_of(device)).text("cc", "9.0");
  return sscanf(text.c_str(), "%d.%d", major, minor) == 2 ? kSuccess : kNotSupported;
}

EXPORTED Return nvmlDeviceGetMemoryInfo(Device device, Memory* out) {
  const Return result = give(device, __func__, "memory_used", &out->used);
  out->total = entry_of(configuration(), "device", uuid_of(device)).number("memory", 256 << 20);
  out->free = out->total - out->used;
  return result;
}

EXPORTED Return nvmlDeviceGetTemperature(Device device, uint32_t, uint32_t* out) {
  return give(device, __func__, "temperature", out);
}
EXPORTED Return nvmlDeviceGetPowerUsage(Device device, uint32_t* out) { return give(device, __func__, "power", out); }
EXPORTED Return nvmlDeviceGetEnforcedPowerLimit(Device device, uint32_t* out) {
  return give(device, __func__, "power_limit", out);
}
EXPORTED Return nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long* out) {
  return give(device, __func__, "energy", out);
}
EXPORTED Return nvmlDeviceGetClockInfo(Device device, uint32_t clock, uint32_t* out) {
  return give(device, __func__, "clock_" + std::to_string(clock), out);
}
EXPORTED Return nvmlDeviceGetCurrentClocksThrottleReasons(Device device, unsigned long long* out) {
  return give(device, __func__, "reasons", out);
}
EXPORTED Return nvmlDeviceGetUtilizationRates(Device device, Utilization* out) {
  return give_list(device, __func__, "utilization", {&out->gpu, &out->memory});
}

EXPORTED Return nvmlDeviceGetFieldValues(Device device, int count, FieldValue* out) {
  const Entry nvml = nvml_of(device);
  if (const Return result = enter(device, __func__, nvml)) return result;
  for (int k = 0; k < count; k++) {
    const uint32_t field = out[k].field;
    const char* key = field == kFieldMemoryTemperature ? "temperature_memory"
                      : field == kFieldPowerAverage    ? "power_average"
                      : field == kFieldPowerInstant    ? "power_instant"
                                                       : "";
    out[k].type = kUnsignedInt;
    out[k].result = nvml.has(key) ? kSuccess : kNotSupported;
    out[k].value.as_unsigned = static_cast<unsigned>(nvml.number(key, 0));
  }
  return kSuccess;
}

EXPORTED Return nvmlDeviceGetEccMode(Device device, uint32_t* current, uint32_t* pending) {
  const Return result = give(device, __func__, "ecc", current);
  *pending = *current;
  return result;
}

namespace {

std::string ecc_key(uint32_t type, uint32_t counter, const std::string& location) {
  return std::string(type == kCorrected ? "ecc_corrected_" : "ecc_uncorrected_") +
         (counter == kVolatile ? "volatile_" : "aggregate_") + location;
}

}  // namespace

EXPORTED Return nvmlDeviceGetTotalEccErrors(Device device, uint32_t type, uint32_t counter, unsigned long long* out) {
  return give(device, __func__, ecc_key(type, counter, "total"), out);
}

EXPORTED Return nvmlDeviceGetMemoryErrorCounter(Device device, uint32_t type, uint32_t counter, uint32_t location,
                                                unsigned long long* out) {
  return give(device, __func__, ecc_key(type, counter, "location_" + std::to_string(location)), out);
}

EXPORTED Return nvmlDeviceGetRemappedRows(Device device, uint32_t* corrected, uint32_t* uncorrected, uint32_t* pending,
                                          uint32_t* failed) {
  return give_list(device, __func__, "remapped_rows", {corrected, uncorrected, pending, failed});
}

EXPORTED Return nvmlDeviceGetRetiredPages(Device device, uint32_t cause, uint32_t* count, unsigned long long* addresses) {
  const Return result = give(device, __func__, cause == kDoubleBit ? "retired_double" : "retired_single", count);
  return result == kSuccess && *count > 0 && addresses == nullptr ? kInsufficientSize : result;
}

EXPORTED Return nvmlDeviceGetRetiredPagesPendingStatus(Device device, uint32_t* out) {
  return give(device, __func__, "retired_pending", out);
}
EXPORTED Return nvmlDeviceGetPcieReplayCounter(Device device, uint32_t* out) {
  return give(device, __func__, "pcie_replays", out);
}
EXPORTED Return nvmlDeviceGetCurrPcieLinkGeneration(Device device, uint32_t* out) {
  return give(device, __func__, "pcie_generation", out);
}
EXPORTED Return nvmlDeviceGetCurrPcieLinkWidth(Device device, uint32_t* out) {
  return give(device, __func__, "pcie_width", out);
}
EXPORTED Return nvmlDeviceGetMaxPcieLinkGeneration(Device device, uint32_t* out) {
  return give(device, __func__, "pcie_max_generation", out);
}
EXPORTED Return nvmlDeviceGetMaxPcieLinkWidth(Device device, uint32_t* out) {
  return give(device, __func__, "pcie_max_width", out);
}

EXPORTED Return nvmlDeviceGetNvLinkState(Device device, uint32_t link, uint32_t* out) {
  const Entry nvml = nvml_of(device);
  if (const Return result = enter(device, __func__, nvml)) return result;
  const std::vector<uint32_t> states = nvml.list("nvlink");
  if (link >= states.size()) return states.empty() ? kNotSupported : kInvalidArgument;
  *out = states[link];
  return kSuccess;
}

EXPORTED Return nvmlDeviceGetNvLinkErrorCounter(Device device, uint32_t link, uint32_t kind, unsigned long long* out) {
  return give(device, __func__, "nvlink_" + std::to_string(link) + "_" + std::to_string(kind), out);
}

EXPORTED Return nvmlDeviceGetMigMode(Device device, uint32_t* current, uint32_t* pending) {
  const Return result = give(device, __func__, "mig", current);
  *pending = *current;
  return result;
}

EXPORTED Return nvmlDeviceGetMaxMigDeviceCount(Device device, uint32_t* out) {
  *out = is_instance(uuid_of(device)) ? 0 : 7;
  return kSuccess;
}

EXPORTED Return nvmlDeviceGetMigDeviceHandleByIndex(Device device, uint32_t index, Device* out) {
  const std::vector<Entry> instances = instances_of(uuid_of(device));
  if (index >= instances.size()) return kNotFound;
  *out = handle_of(instances[index].text("uuid", ""));
  return kSuccess;
}

EXPORTED Return nvmlDeviceGetDeviceHandleFromMigDeviceHandle(Device device, Device* out) {
  if (!is_instance(uuid_of(device))) return kInvalidArgument;
  *out = handle_of(entry_of(configuration(), "mig", uuid_of(device)).text("parent", ""));
  return kSuccess;
}

EXPORTED Return nvmlDeviceGetGpuInstanceId(Device device, uint32_t* out) {
  *out = static_cast<uint32_t>(entry_of(configuration(), "mig", uuid_of(device)).number("gi", kNoInstance));
  return kSuccess;
}

EXPORTED Return nvmlDeviceGetComputeInstanceId(Device device, uint32_t* out) {
  *out = static_cast<uint32_t>(entry_of(configuration(), "mig", uuid_of(device)).number("ci", kNoInstance));
  return kSuccess;
}

EXPORTED Return nvmlDeviceGetAttributes_v2(Device device, DeviceAttributes* out) {
  const Entry entry = entry_of(configuration(), "mig", uuid_of(device));
  if (!entry.has("sms")) return kNotSupported;
  out->multiprocessors = static_cast<uint32_t>(entry.number("sms", 0));
  out->memory_mib = entry.number("memory_mib", 0);
  return kSuccess;
}

// An old driver lacks these.
#ifndef SENTINEL_FAKE_OLD_DRIVER
EXPORTED Return nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long* out) {
  return give(device, __func__, "reasons", out);
}

EXPORTED Return nvmlDeviceGetRowRemapperHistogram(Device device, RowRemapperHistogram* out) {
  return give_list(device, __func__, "row_remapper", {&out->max, &out->high, &out->partial, &out->low, &out->none});
}

EXPORTED Return nvmlDeviceGetGpuFabricInfoV(Device device, FabricInfo* out) {
  if (out->version != kFabricInfoVersion2) return 25;  // NVML_ERROR_ARGUMENT_VERSION_MISMATCH
  const Return result = give(device, __func__, "fabric_state", &out->state);
  const Entry nvml = nvml_of(device);
  out->health = static_cast<uint32_t>(nvml.number("fabric_health", 0));
  out->status = static_cast<Return>(nvml.number("fabric_status", 0));
  return result;
}
#endif

EXPORTED Return nvmlEventSetCreate(EventSet* out) {
  registered.clear();
  *out = reinterpret_cast<EventSet>(&registered);
  return kSuccess;
}

EXPORTED Return nvmlEventSetFree(EventSet) { return kSuccess; }

EXPORTED Return nvmlDeviceRegisterEvents(Device device, unsigned long long types, EventSet) {
  const Return result = enter(device, __func__, nvml_of(device));
  if (result == kSuccess && types == kEventXid) registered.push_back(uuid_of(device));
  return result;
}

EXPORTED Return nvmlEventSetWait_v2(EventSet, EventData* out, uint32_t) {
  for (const std::string& uuid : registered) {
    if (const Return result = enter(handle_of(uuid), __func__, nvml_of(handle_of(uuid)))) return result;
  }
  const std::vector<Entry> xids = configuration().of("xid");
  while (delivered_xids < xids.size()) {
    const Entry& xid = xids[delivered_xids++];
    const std::string uuid = xid.text("uuid", "");
    for (const std::string& each : registered) {
      if (each != uuid) continue;
      out->device = handle_of(uuid);
      out->type = kEventXid;
      out->data = xid.number("number", 0);
      out->gpu_instance = static_cast<uint32_t>(xid.number("gi", kNoInstance));
      out->compute_instance = static_cast<uint32_t>(xid.number("ci", kNoInstance));
      return kSuccess;
    }
  }
  return kTimeout;
}
