#include "machine.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>

namespace sentinel::fake {
namespace {

constexpr uint64_t kMebibyte = 1 << 20;

// Numbers of CUdevice_attribute.
enum : int {
  kMaxThreadsPerBlock = 1,
  kMaxSharedPerBlock = 8,
  kWarpSizeAttribute = 10,
  kClockRate = 13,
  kSmCount = 16,
  kComputeMode = 20,
  kEccEnabled = 32,
  kPciBus = 33,
  kPciDevice = 34,
  kMemoryClockRate = 36,
  kL2Bytes = 38,
  kMaxThreadsPerSm = 39,
  kAsyncEngines = 40,
  kUnifiedAddressing = 41,
  kPciDomain = 50,
  kMajor = 75,
  kMinor = 76,
  kStreamPriorities = 78,
  kMaxSharedPerSm = 81,
  kMaxSharedPerBlockOptin = 97,
  kMpsEnabled = 133,
};

constexpr int kKibibyte = 1024;

// Shared memory that a block may ask for, in KiB; an SM has one more, which the driver keeps.
int shared_optin(uint32_t major, uint32_t minor) {
  if (major == 8) return (minor == 0 ? 163 : 99) * kKibibyte;
  return (major == 12 ? 99 : 227) * kKibibyte;
}

std::map<int, int> attributes_of(const Device& device) {
  const int optin = shared_optin(device.major, device.minor);
  return {
      {kMaxThreadsPerBlock, 1024},
      {kMaxSharedPerBlock, 48 * kKibibyte},
      {kWarpSizeAttribute, 32},
      {kClockRate, 1'980'000},
      {kSmCount, static_cast<int>(device.smids.size())},
      {kComputeMode, 0},
      {kEccEnabled, 1},
      {kPciBus, static_cast<int>(device.ordinal + 1)},
      {kPciDevice, 0},
      {kMemoryClockRate, 2'619'000},
      {kL2Bytes, static_cast<int>(device.l2_bytes)},
      {kMaxThreadsPerSm, device.major == 8 && device.minor != 0 ? 1536 : 2048},
      {kAsyncEngines, 3},
      {kUnifiedAddressing, 1},
      {kPciDomain, 0},
      {kMajor, static_cast<int>(device.major)},
      {kMinor, static_cast<int>(device.minor)},
      {kStreamPriorities, 1},
      {kMaxSharedPerSm, optin + kKibibyte},
      {kMaxSharedPerBlockOptin, optin},
      {kMpsEnabled, 0},
  };
}

std::vector<uint32_t> smids_of(const Entry& entry) {
  if (entry.has("smids")) return entry.list("smids");
  std::vector<uint32_t> smids(entry.number("sms", 4));
  std::iota(smids.begin(), smids.end(), 0);
  return smids;
}

std::string numbered(uint32_t ordinal, const char* format) {
  char text[64];
  snprintf(text, sizeof text, format, ordinal + 1);
  return text;
}

// attribute_133=1 in an entry: the number of a CUdevice_attribute.
void override_attributes(const Entry& entry, std::map<int, int>& attributes) {
  const std::string prefix = "attribute_";
  for (const std::string& key : entry.keys()) {
    if (key.rfind(prefix, 0) == 0) attributes[atoi(key.c_str() + prefix.size())] = static_cast<int>(entry.number(key, 0));
  }
}

// Never destroyed: the program may still call when the process ends.
Machine* the_machine = nullptr;

bool exists(const std::string& function) {
  static void* const self = [] {
    Dl_info info{};
    dladdr(reinterpret_cast<void*>(&start_machine), &info);
    return dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
  }();
  return dlsym(self, function.c_str()) != nullptr;
}

int scripted(Fault& fault) {
  const Entry& fields = fault.fields();
  if (fields.number("abort", 0) != 0) abort();
  if (fields.number("hang", 0) != 0) hang();
  const int error = static_cast<int>(fields.number("error", kSuccess));
  if (fields.number("sticky", 0) != 0 && current_context() != nullptr) current_context()->sticky = error;
  return error;
}

}  // namespace

Device::Device(uint32_t ordinal, const Entry& entry)
    : ordinal(ordinal),
      name(entry.text("name", "Fake GPU")),
      uuid(entry.text("uuid", numbered(ordinal, "GPU-00000000-0000-4000-8000-%012x"))),
      pci_bus_id(entry.text("pci", numbered(ordinal, "0000:%02x:00.0"))),
      major(0),
      minor(0),
      smids(smids_of(entry)),
      nsmid(static_cast<uint32_t>(entry.number("nsmid", smids.back() + 1))),
      l2_bytes(entry.number("l2", kMebibyte)),
      memory(ordinal, entry.number("memory", 256 * kMebibyte)),
      kernel_ns(entry.number("kernel_us", 100) * 1000),
      switch_ns(entry.number("switch_us", 25) * 1000) {
  const std::string capability = entry.text("cc", "9.0");
  if (sscanf(capability.c_str(), "%u.%u", &major, &minor) != 2) give_up("fake-gpu.conf: cc=" + capability);
  attributes = attributes_of(*this);
  override_attributes(entry, attributes);
}

uint64_t Module::address_of(const std::string& variable) {
  uint64_t& address = variables[variable];
  if (address != 0) return address;
  DeviceMemory& memory = context->device->memory;
  const uint32_t bytes = cubin.variables.at(variable);
  address = memory.allocate(bytes);
  if (address == 0) give_up("no memory for " + variable);
  memset(memory.locate(address, bytes), 0, bytes);
  return address;
}

Machine::Machine(const Config& config) : driver_version(12090), faults(faults_of(config)) {
  for (const Entry& entry : config.of("driver")) driver_version = static_cast<int>(entry.number("version", 12090));
  for (const Entry& entry : config.of("device")) {
    devices.push_back(std::make_unique<Device>(static_cast<uint32_t>(devices.size()), entry));
  }
  for (const Fault& fault : faults) {
    for (const char* key : {"call", "after"}) {
      const std::string function = fault.fields().text(key, "cuInit");
      if (!exists(function)) give_up("fake-gpu.conf: no function \"" + function + "\"");
    }
  }
}

Device* Machine::device_of(uint64_t address) const {
  for (const auto& device : devices) {
    if (device->memory.locate(address, 1) != nullptr) return device.get();
  }
  return nullptr;
}

Machine* machine() { return the_machine; }

void start_machine() {
  if (the_machine == nullptr) the_machine = new Machine(read_config(reinterpret_cast<void*>(&start_machine)));
}

Context*& current_context() {
  static thread_local Context* context = nullptr;
  return context;
}

int enter(const char* function) {
  if (machine() == nullptr) return kNotInitialized;
  for (Fault& fault : machine()->faults) fault.see_call(function);
  for (Fault& fault : machine()->faults) {
    if (fault.kind() != "call" || fault.fields().text("call", "") != function || !fault.occurs()) continue;
    if (const int error = scripted(fault); error != kSuccess) return error;
  }
  return kSuccess;
}

int enter_context(const char* function) {
  if (const int error = enter(function); error != kSuccess) return error;
  return current_context() == nullptr ? kInvalidContext : current_context()->sticky;
}

namespace {

int run_kernel(Context& context, const KernelCall& call) {
  Device& device = *context.device;
  if (device.last_context != nullptr && device.last_context != &context) device.clock_ns += device.switch_ns;
  device.last_context = &context;
  device.clock_ns += device.kernel_ns;
  return launch_kernel(*machine(), context, call);
}

// The next operation of a stream that has one.
void step(Stream& stream) {
  const Operation operation = std::move(stream.pending.front());
  stream.pending.pop_front();
  const bool is_kernel = operation.type == OperationType::kKernel;
  const int status = is_kernel ? run_kernel(*stream.context, operation.kernel) : operation.work(stream);
  if (status == kNotReady) stream.hangs = true;
  else if (status != kSuccess) stream.context->sticky = status;
}

bool can_step(const Stream& stream) {
  return !stream.hangs && !stream.pending.empty() && stream.context->sticky == kSuccess;
}

bool next_is_kernel(const Stream& stream) { return stream.pending.front().type == OperationType::kKernel; }

// Contexts take turns: before a kernel of one, each other that has work runs a kernel.
void give_others_a_turn(const Stream& stream) {
  machine()->streams.each([&](Stream& other) {
    if (other.context == stream.context || other.context->device != stream.context->device) return;
    while (can_step(other) && !next_is_kernel(other)) step(other);
    if (can_step(other)) step(other);
  });
}

}  // namespace

int drain(Stream& stream) {
  while (can_step(stream)) {
    if (next_is_kernel(stream)) give_others_a_turn(stream);
    step(stream);
  }
  if (stream.context->sticky != kSuccess) return stream.context->sticky;
  return stream.hangs ? kNotReady : kSuccess;
}

void hang() {
  while (true) pause();
}

}  // namespace sentinel::fake
