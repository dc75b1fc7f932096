#include "xids.h"

#include <time.h>

namespace sentinel {
namespace nvml {
namespace {

constexpr uint32_t kMostGpus = 64;
constexpr size_t kMostEvents = 64;  // of one call

EventSet listening = nullptr;

// Listens to every GPU that can be listened to; a lost one must not silence the others.
Error listen(const Api& api) {
  uint32_t count = 0;
  if (api.count == nullptr || api.by_index == nullptr || api.event_set_create == nullptr ||
      api.event_set_wait == nullptr || api.event_set_free == nullptr || api.register_events == nullptr) {
    return {"nvmlEventSetCreate", kFunctionNotFound};
  }
  if (const Return result = api.count(&count)) return {"nvmlDeviceGetCount_v2", result};
  if (const Return result = api.event_set_create(&listening)) return {"nvmlEventSetCreate", result};
  Error refused{"nvmlDeviceRegisterEvents", kNotFound};
  bool any = false;
  for (uint32_t k = 0; k < count && k < kMostGpus; k++) {
    Device gpu = nullptr;
    Return result = api.by_index(k, &gpu);
    if (result == kSuccess) result = api.register_events(gpu, kEventXid, listening);
    if (result == kSuccess) any = true;
    else refused.code = result;
  }
  if (any) return {};
  api.event_set_free(listening);
  listening = nullptr;
  return refused;
}

// The instance with these numbers, where the GPU has it.
std::string instance_uuid(const Api& api, const EventData& event) {
  uint32_t most = 0;
  if (api.most_mig_devices == nullptr || api.mig_by_index == nullptr || api.gpu_instance == nullptr ||
      api.compute_instance == nullptr || api.most_mig_devices(event.device, &most) != kSuccess) {
    return "";
  }
  for (uint32_t k = 0; k < most; k++) {
    Device instance = nullptr;
    uint32_t gpu_instance = kNoInstance, compute_instance = kNoInstance;
    if (api.mig_by_index(event.device, k, &instance) != kSuccess) continue;
    if (api.gpu_instance(instance, &gpu_instance) != kSuccess || gpu_instance != event.gpu_instance) continue;
    if (api.compute_instance(instance, &compute_instance) != kSuccess) continue;
    if (compute_instance == event.compute_instance) return read_text(api.uuid, instance);
  }
  return "";
}

Xid xid_of(const Api& api, const EventData& event) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::string uuid = event.gpu_instance == kNoInstance ? "" : instance_uuid(api, event);
  if (uuid.empty()) uuid = read_text(api.uuid, event.device);
  return {uuid, event.data, static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000};
}

}  // namespace

Xids take_xids() {
  Xids out;
  const Opened library = open_library();
  out.error = library.error;
  if (library.api == nullptr) return out;
  const Api& api = *library.api;
  if (listening == nullptr) out.error = listen(api);
  while (!out.error && out.events.size() < kMostEvents) {
    EventData event{};
    const Return result = api.event_set_wait(listening, &event, 0);
    if (result == kTimeout) break;
    if (result != kSuccess) out.error = {"nvmlEventSetWait_v2", result};
    else if (event.type == kEventXid) out.events.push_back(xid_of(api, event));
  }
  if (out.error && listening != nullptr) {
    // A set that holds a lost GPU answers no more: the next call listens to the others.
    api.event_set_free(listening);
    listening = nullptr;
  }
  return out;
}

}  // namespace nvml
}  // namespace sentinel
