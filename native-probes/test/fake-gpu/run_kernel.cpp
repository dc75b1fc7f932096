// A launch: where its blocks go, which faults strike, and what becomes of it.
#include <immintrin.h>
#include <string.h>
#include <time.h>

#include <algorithm>

#include "kernels.h"
#include "machine.h"
#include "placement.h"

namespace sentinel::fake {
namespace {

constexpr uint32_t kMostBlocksPerSm = 32;
constexpr unsigned kDefaultRounding = 0x1f80;  // MXCSR: to nearest even, subnormals kept, nothing traps
constexpr int kMaxThreadsPerSm = 39;           // CUdevice_attribute
constexpr int kMaxSharedPerSm = 81;
constexpr uint32_t kReservedShared = 1024;  // of every block, for the driver
constexpr char kFaultTable[] = "sentinel_gpu_faults";  // variable that the kernels of the test build have

uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

std::vector<const Fault*> faults_that_strike(Machine& machine, const Device& device, const KernelCall& call) {
  std::vector<const Fault*> faults;
  for (Fault& fault : machine.faults) {
    if (fault.kind() == "call" || fault.kind() == "copy") continue;
    if (!fault.concerns_device(device.ordinal) || !fault.concerns_kernel(call.function->name)) continue;
    if (fault.occurs()) faults.push_back(&fault);
  }
  return faults;
}

std::set<uint32_t> buffers_in(const Device& device, const std::vector<uint8_t>& arguments) {
  std::set<uint32_t> buffers;
  for (size_t at = 0; at + sizeof(uint64_t) <= arguments.size(); at += sizeof(uint64_t)) {
    uint64_t address;
    memcpy(&address, arguments.data() + at, sizeof address);
    const uint32_t buffer = device.memory.buffer_at(address);
    if (buffer != kNoBuffer) buffers.insert(buffer);
  }
  return buffers;
}

std::vector<const Entry*> faults_of_kind(const Launch& launch, const char* kind) {
  std::vector<const Entry*> found;
  for (const Fault* fault : launch.faults) {
    if (fault->kind() == kind) found.push_back(&fault->fields());
  }
  return found;
}

uint32_t blocks_per_sm(const Device& device, const Launch& launch) {
  const uint32_t shared =
      launch.call.shared_bytes + launch.call.function->code->static_shared_bytes + kReservedShared;
  const auto limit = [&](int attribute, uint32_t used) {
    return static_cast<uint32_t>(device.attributes.at(attribute)) / used;
  };
  return std::min({kMostBlocksPerSm, limit(kMaxThreadsPerSm, launch.call.threads), limit(kMaxSharedPerSm, shared)});
}

std::vector<uint32_t> reachable_sms(const Device& device, const Launch& launch) {
  std::vector<uint32_t> smids = device.smids;
  for (const Entry* fault : faults_of_kind(launch, "absent")) {
    smids.erase(std::remove(smids.begin(), smids.end(), fault->number("sm", kAny)), smids.end());
  }
  return smids;
}

uint32_t unit_of(const Entry& fault) {
  return fault.has("unit") ? static_cast<uint32_t>(unit_named(fault.text("unit", ""))) : kAny;
}

uint32_t number_or_any(const Entry& fault, const char* key) { return static_cast<uint32_t>(fault.number(key, kAny)); }

StuckBits stuck_bits_of(const Entry& fault, uintptr_t place) {
  const uint8_t mask = static_cast<uint8_t>(1u << fault.number("bit", 0));
  return {mask, fault.number("stuck", 1) != 0 ? mask : uint8_t{0}, place};
}

SmFaults faults_of_sm(const Device& device, const Launch& launch, uint32_t smid) {
  SmFaults faults;
  const auto here = [&](const Entry& fault) { return fault.number("sm", smid) == smid; };
  for (const Entry* fault : faults_of_kind(launch, "wrong")) {
    if (!here(*fault)) continue;
    faults.wrong.push_back({unit_of(*fault), number_or_any(*fault, "warp"), number_or_any(*fault, "subpartition"),
                            number_or_any(*fault, "lane"), fault->number("xor", 1), fault->number("every", 1), 0});
  }
  for (const Entry* fault : faults_of_kind(launch, "smid")) {
    if (!here(*fault)) continue;
    faults.says_smid = static_cast<uint32_t>(fault->number("says", 0));
    faults.says_from_read = static_cast<uint32_t>(fault->number("reads", 1));
  }
  for (const Entry* fault : faults_of_kind(launch, "shared")) {
    if (!here(*fault)) continue;
    faults.stuck_shared = stuck_bits_of(*fault, fault->number("byte", 0));
  }
  for (const Entry* fault : faults_of_kind(launch, "memory")) {
    const uint8_t* buffer = device.memory.buffer(static_cast<uint32_t>(fault->number("buffer", 0)));
    if (buffer == nullptr) continue;
    faults.stuck_memory = stuck_bits_of(*fault, reinterpret_cast<uintptr_t>(buffer + fault->number("byte", 0)));
  }
  faults.claim_broken = !faults_of_kind(launch, "claim").empty();
  return faults;
}

std::vector<uint8_t> arguments_of(const Launch& launch) {
  std::vector<uint8_t> arguments = launch.call.arguments;
  for (const Entry* fault : faults_of_kind(launch, "arguments")) {
    const size_t shift = std::min<size_t>(fault->number("shift", 8), arguments.size());
    arguments.erase(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(shift));
    arguments.resize(launch.call.arguments.size());
  }
  return arguments;
}

bool is_of_test_build(const KernelCall& call) { return call.function->module->cubin.variables.count(kFaultTable) != 0; }

void* variable_of(const Device& device, const KernelCall& call) {
  if (!is_of_test_build(call)) return nullptr;
  Module& module = *call.function->module;
  return device.memory.locate(module.address_of(kFaultTable), module.cubin.variables.at(kFaultTable));
}

int run_blocks(const Device& device, const Launch& launch, const KernelEntry& kernel) {
  Placement placement(reachable_sms(device, launch), blocks_per_sm(device, launch));
  for (uint32_t block = 0; block < launch.call.grid; block++) {
    const uint32_t smid = placement.place();
    SmFaults faults = faults_of_sm(device, launch, smid);
    const uint64_t start = monotonic_ns();
    const BlockOutcome outcome = run_block(
        {smid, device.nsmid, block, launch.call.grid, launch.call.threads, launch.call.shared_bytes}, faults,
        device.memory, kernel.run, launch.call.arguments.data(), variable_of(device, launch.call));
    if (outcome.illegal_address) return kIllegalAddress;
    if (outcome.deadlock) return kLaunchFailed;
    placement.release(monotonic_ns() - start + outcome.held_ns);
  }
  return kSuccess;
}

// What the kernel wrote to these buffers never arrives.
class LostWrites {
 public:
  LostWrites(const Device& device, const Launch& launch) {
    for (const Entry* fault : faults_of_kind(launch, "stale")) {
      size_t bytes = 0;
      uint8_t* buffer = device.memory.buffer(static_cast<uint32_t>(fault->number("buffer", 0)), &bytes);
      if (buffer != nullptr) before_.push_back({buffer, std::vector<uint8_t>(buffer, buffer + bytes)});
    }
  }
  ~LostWrites() {
    for (const auto& [buffer, bytes] : before_) std::copy(bytes.begin(), bytes.end(), buffer);
  }
  LostWrites(const LostWrites&) = delete;
  LostWrites& operator=(const LostWrites&) = delete;

 private:
  std::vector<std::pair<uint8_t*, std::vector<uint8_t>>> before_;
};

bool does_not_run(const Launch& launch) {
  const auto stale = faults_of_kind(launch, "stale");
  return std::any_of(stale.begin(), stale.end(), [](const Entry* fault) { return !fault->has("buffer"); });
}

const KernelEntry& kernel_of(const KernelCall& call) {
  const KernelSet set = is_of_test_build(call) ? KernelSet::kTest : KernelSet::kRelease;
  const KernelEntry* kernel = find_kernel(set, call.function->name);
  if (kernel == nullptr) give_up("the fake cannot run the kernel " + call.function->name);
  if (kernel->argument_bytes != call.arguments.size()) {
    give_up("the cubin and the fake disagree about the arguments of " + call.function->name);
  }
  return *kernel;
}

int run(const Device& device, const Launch& launch) {
  const LostWrites lost(device, launch);
  const unsigned control = _mm_getcsr();
  _mm_setcsr(kDefaultRounding);
  const int status = run_blocks(device, launch, kernel_of(launch.call));
  _mm_setcsr(control);
  return status;
}

}  // namespace

int launch_kernel(Machine& machine, Context& context, const KernelCall& call) {
  Device& device = *context.device;
  Launch launch{&context, call, faults_that_strike(machine, device, call), {}};
  if (!faults_of_kind(launch, "hang").empty() || reachable_sms(device, launch).empty()) return kNotReady;
  if (does_not_run(launch)) return kSuccess;
  launch.call.arguments = arguments_of(launch);
  launch.buffers = buffers_in(device, launch.call.arguments);
  if (is_of_test_build(call)) launch.buffers.insert(device.memory.buffer_at(call.function->module->address_of(kFaultTable)));
  if (launch.buffers.empty()) return run(device, launch);
  device.unread.push_back(std::move(launch));
  return kSuccess;
}

int finish_launches(Device& device, uint64_t address) {
  const uint32_t buffer = device.memory.buffer_at(address);
  std::deque<Launch> others;
  int status = kSuccess;
  while (!device.unread.empty() && status == kSuccess) {
    Launch launch = std::move(device.unread.front());
    device.unread.pop_front();
    if (launch.buffers.count(buffer) == 0) others.push_back(std::move(launch));
    else status = run(device, launch);
  }
  for (Launch& launch : device.unread) others.push_back(std::move(launch));
  device.unread.swap(others);
  return status;
}

}  // namespace sentinel::fake
