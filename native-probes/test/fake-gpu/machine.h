// The fake machine as its driver sees it: GPUs, faults, and the objects that a program has made.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cubin.h"
#include "faults.h"
#include "memory.h"

namespace sentinel::fake {

// CUresult, of those that the fake returns by itself.
constexpr int kSuccess = 0;
constexpr int kInvalidValue = 1;
constexpr int kOutOfMemory = 2;
constexpr int kNotInitialized = 3;
constexpr int kNoDevice = 100;
constexpr int kInvalidDevice = 101;
constexpr int kInvalidImage = 200;
constexpr int kInvalidContext = 201;
constexpr int kNoBinaryForGpu = 209;
constexpr int kInvalidHandle = 400;
constexpr int kNotFound = 500;
constexpr int kNotReady = 600;
constexpr int kIllegalAddress = 700;
constexpr int kLaunchFailed = 719;
constexpr int kStreamCaptureUnsupported = 900;

struct Context;
struct Function;

struct KernelCall {
  Function* function;
  uint32_t grid, threads, shared_bytes;
  std::vector<uint8_t> arguments;
};

struct Launch {
  Context* context;
  KernelCall call;
  std::vector<const Fault*> faults;  // that strike it
  std::set<uint32_t> buffers;        // that its arguments point to
};

struct Device {
  Device(uint32_t ordinal, const Entry& entry);

  uint32_t ordinal;
  std::string name, uuid, pci_bus_id;
  uint32_t major, minor;
  std::vector<uint32_t> smids;  // ascending
  uint32_t nsmid;
  uint64_t l2_bytes;
  std::map<int, int> attributes;
  DeviceMemory memory;

  // The time of its events: every kernel takes as long, and so does the change from one context's kernel to another's.
  uint64_t clock_ns = 1, kernel_ns, switch_ns;
  const Context* last_context = nullptr;

  // Launches that are over as far as anybody can see: they are run when somebody looks at a buffer that they could have
  // written. What nobody looks at costs no time.
  std::deque<Launch> unread;
};

struct Context {
  Device* device;
  int sticky = kSuccess;  // an error after which nothing works
  std::set<uint64_t> allocations;
};

struct Module {
  Context* context;
  Cubin cubin;
  std::map<std::string, uint64_t> variables;  // device addresses of those that somebody asked for

  // Of a variable that the cubin has.
  uint64_t address_of(const std::string& variable);
};

struct Function {
  Module* module;
  std::string name;
  const CubinFunction* code;
  int dynamic_shared_limit;
};

// Numbers of CUgraphNodeType.
enum class OperationType { kKernel = 0, kCopy = 1, kFill = 2, kEvent = 7 };

struct Stream;

// Work given to a stream. It is done when the program asks the stream how far it is, no sooner: who reads a buffer
// without having waited reads what was there before.
struct Operation {
  OperationType type;
  KernelCall kernel;               // of kKernel
  std::function<int(Stream&)> work;  // of the others
};

struct Stream {
  Context* context;
  bool capturing = false;
  bool hangs = false;
  std::deque<Operation> pending, captured;
};

struct Event {
  Context* context;
  Stream* stream = nullptr;  // where it was recorded last
  uint64_t recorded_ns = 0;
};

struct Graph;
struct GraphNode {
  Graph* graph;
  size_t index;
};
struct Graph {
  std::deque<Operation> operations;
  std::vector<std::unique_ptr<GraphNode>> nodes;
};
struct GraphExecutable {
  Graph* graph;
  std::deque<Operation> operations;
};

// Objects behind the handles of one type.
template <class Object>
class Handles {
 public:
  Object* add(Object object) {
    auto owned = std::make_unique<Object>(std::move(object));
    Object* handle = owned.get();
    objects_[handle] = std::move(owned);
    return handle;
  }
  bool has(const void* handle) const { return objects_.count(handle) != 0; }
  void remove(const void* handle) { objects_.erase(handle); }
  template <class Use>
  void each(Use use) {
    for (auto& [handle, object] : objects_) use(*object);
  }

 private:
  std::map<const void*, std::unique_ptr<Object>> objects_;
};

struct Machine {
  explicit Machine(const Config& config);

  int driver_version;
  std::vector<std::unique_ptr<Device>> devices;
  std::vector<Fault> faults;

  Handles<Context> contexts;
  Handles<Module> modules;
  Handles<Function> functions;
  Handles<Stream> streams;
  Handles<Event> events;
  Handles<Graph> graphs;
  Handles<GraphExecutable> executables;
  std::map<void*, size_t> host_memory;  // page-locked

  Device* device_of(uint64_t address) const;
};

// What cuInit made of the configuration; null before.
Machine* machine();
void start_machine();

// The calling thread's context, null if it has none.
Context*& current_context();

// Every driver function begins with this: scripted errors, a driver that was not initialised, a context that was lost.
// Not kSuccess: the function returns it.
int enter(const char* function);
// For functions that need a context.
int enter_context(const char* function);

// Does the stream's pending work. kNotReady: it hangs.
int drain(Stream& stream);

// The calling thread sleeps for ever.
[[noreturn]] void hang();

// kNotReady: it hangs.
int launch_kernel(Machine& machine, Context& context, const KernelCall& call);

// Before the buffer at this address is read or written by anything else. What the launches failed with, or kSuccess.
int finish_launches(Device& device, uint64_t address);

}  // namespace sentinel::fake
