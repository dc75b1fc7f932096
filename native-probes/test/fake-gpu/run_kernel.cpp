// A launch: where its blocks go, which faults strike, and what becomes of it.
#include <immintrin.h>

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

struct Launch {
  Machine& machine;
  Device& device;
  const KernelCall& call;
  std::vector<Fault*> faults;  // that strike this launch

  Launch(Machine& machine, Device& device, const KernelCall& call) : machine(machine), device(device), call(call) {
    for (Fault& fault : machine.faults) {
      if (fault.kind() == "call" || fault.kind() == "copy") continue;
      if (!fault.concerns_device(device.ordinal) || !fault.concerns_kernel(call.function->name)) continue;
      if (fault.occurs()) faults.push_back(&fault);
    }
  }

  std::vector<const Entry*> of(const char* kind) const {
    std::vector<const Entry*> found;
    for (const Fault* fault : faults) {
      if (fault->kind() == kind) found.push_back(&fault->fields());
    }
    return found;
  }

  uint32_t static_shared() const { return call.function->code->static_shared_bytes; }
};

uint32_t blocks_per_sm(const Launch& launch) {
  const uint32_t shared = launch.call.shared_bytes + launch.static_shared() + kReservedShared;
  const auto limit = [&](int attribute, uint32_t used) {
    return static_cast<uint32_t>(launch.device.attributes.at(attribute)) / used;
  };
  return std::min({kMostBlocksPerSm, limit(kMaxThreadsPerSm, launch.call.threads), limit(kMaxSharedPerSm, shared)});
}

std::vector<uint32_t> reachable_sms(const Launch& launch) {
  std::vector<uint32_t> smids = launch.device.smids;
  for (const Entry* fault : launch.of("absent")) {
    smids.erase(std::remove(smids.begin(), smids.end(), fault->number("sm", kAny)), smids.end());
  }
  return smids;
}

uint32_t unit_of(const Entry& fault) {
  return fault.has("unit") ? static_cast<uint32_t>(unit_named(fault.text("unit", ""))) : kAny;
}

uint32_t number_or_any(const Entry& fault, const char* key) { return static_cast<uint32_t>(fault.number(key, kAny)); }

uint8_t mask_of(const Entry& fault) { return static_cast<uint8_t>(1u << fault.number("bit", 0)); }

// Of a `stuck` fault: the bits that are forced, and to what.
uint8_t value_of(const Entry& fault) { return fault.number("stuck", 1) != 0 ? mask_of(fault) : uint8_t{0}; }

SmFaults faults_of_sm(const Launch& launch, uint32_t smid) {
  SmFaults faults;
  const auto here = [&](const Entry& fault) { return fault.number("sm", smid) == smid; };
  for (const Entry* fault : launch.of("wrong")) {
    if (!here(*fault)) continue;
    faults.wrong.push_back({unit_of(*fault), number_or_any(*fault, "warp"), number_or_any(*fault, "subpartition"),
                            number_or_any(*fault, "lane"), fault->number("xor", 1), fault->number("every", 1), 0});
  }
  for (const Entry* fault : launch.of("smid")) {
    if (!here(*fault)) continue;
    faults.says_smid = static_cast<uint32_t>(fault->number("says", 0));
    faults.says_from_read = static_cast<uint32_t>(fault->number("reads", 1));
  }
  for (const Entry* fault : launch.of("shared")) {
    if (!here(*fault)) continue;
    faults.stuck_shared = {static_cast<uint32_t>(fault->number("byte", 0)), mask_of(*fault), value_of(*fault)};
  }
  for (const Entry* fault : launch.of("memory")) {
    uint8_t* buffer = launch.device.memory.buffer(static_cast<uint32_t>(fault->number("buffer", 0)));
    if (buffer != nullptr) faults.stuck_memory = {buffer + fault->number("byte", 0), mask_of(*fault), value_of(*fault)};
  }
  faults.claim_broken = !launch.of("claim").empty();
  return faults;
}

std::vector<uint8_t> arguments_of(const Launch& launch) {
  std::vector<uint8_t> arguments = launch.call.arguments;
  for (const Entry* fault : launch.of("arguments")) {
    const size_t shift = std::min<size_t>(fault->number("shift", 8), arguments.size());
    arguments.erase(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(shift));
    arguments.resize(launch.call.arguments.size());
  }
  return arguments;
}

int run_blocks(const Launch& launch, const KernelEntry& kernel) {
  Placement placement(reachable_sms(launch), blocks_per_sm(launch));
  if (!placement.any_sm()) return kNotReady;  // waits for an SM for ever
  const std::vector<uint8_t> arguments = arguments_of(launch);
  for (uint32_t block = 0; block < launch.call.grid; block++) {
    const uint32_t smid = placement.place();
    SmFaults faults = faults_of_sm(launch, smid);
    const uint64_t start = monotonic_ns();
    const BlockOutcome outcome = run_block(
        {smid, launch.device.nsmid, block, launch.call.grid, launch.call.threads, launch.call.shared_bytes}, faults,
        launch.device.memory, kernel.run, arguments.data());
    if (outcome.illegal_address) return kIllegalAddress;
    if (outcome.deadlock) return kLaunchFailed;
    placement.release(monotonic_ns() - start + outcome.held_ns);
  }
  return kSuccess;
}

// What the kernel wrote to these buffers never arrives.
class LostWrites {
 public:
  explicit LostWrites(const Launch& launch) {
    for (const Entry* fault : launch.of("stale")) {
      size_t bytes = 0;
      uint8_t* buffer = launch.device.memory.buffer(static_cast<uint32_t>(fault->number("buffer", 0)), &bytes);
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
  const auto stale = launch.of("stale");
  return std::any_of(stale.begin(), stale.end(), [](const Entry* fault) { return !fault->has("buffer"); });
}

}  // namespace

int run_kernel(Machine& machine, Device& device, const KernelCall& call) {
  const KernelEntry* kernel = find_kernel(call.function->name);
  if (kernel == nullptr) give_up("the fake cannot run the kernel " + call.function->name);
  if (kernel->argument_bytes != call.arguments.size()) give_up("another size of arguments than " + call.function->name + "'s");
  const Launch launch(machine, device, call);
  if (!launch.of("hang").empty()) return kNotReady;
  if (does_not_run(launch)) return kSuccess;
  const LostWrites lost(launch);
  const unsigned control = _mm_getcsr();
  _mm_setcsr(kDefaultRounding);
  const int status = run_blocks(launch, *kernel);
  _mm_setcsr(control);
  return status;
}

}  // namespace sentinel::fake
