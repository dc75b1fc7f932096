// Launches of one kernel on all SMs: uploads its golden, poisons its outputs, and brings them back.
#pragma once
#include <map>
#include <vector>

#include "memory.h"
#include "placement.h"

namespace sentinel::cuda {

constexpr uint32_t kMostRelaunches = 3;

struct Kernel {
  CUfunction function = nullptr;
  uint32_t threads = 0, blocks = 0, shared_bytes = 0;
};

struct Job {
  Family family{};
  const Kernel* kernel = nullptr;
  uint64_t seed = 0;
  uint32_t iterations = 0;
  bool has_golden = false;   // DeviceMemory::golden() holds it; else what warps compute comes back in running()
  uint32_t share = 1;        // SMs among which the arena is divided
  uint64_t arena_bytes = 0;  // of the arena that the kernel may use
  uint64_t copy_bytes = 0;   // to the arena before the kernel, and from behind them after it

  uint32_t blocks() const { return iterations / kGpuBlock; }
};

// What came back. The pointers are into DeviceMemory's host copies, until the next launch.
struct Launched {
  Error error;  // kNotReady: the kernel did not end
  uint32_t launches = 0;
  uint64_t host_ns = 0;  // launch to completion
  Returned returned{};
  SmRecord* records = nullptr;
  MismatchTable* mismatches = nullptr;
  const uint32_t* golden = nullptr;  // as it was read back from the device
};

class Launcher {
 public:
  Launcher(const Session& session, DeviceMemory& memory, bool use_graphs)
      : session_(session), memory_(memory), use_graphs_(use_graphs) {}

  // Once, and again for those of `sms` that no block reached, at most kMostRelaunches times.
  Launched run(const Job& job, const std::vector<uint32_t>& sms);
  // Without iterations and without a golden: where blocks go. Until `count` SMs were reached, as often as run().
  Launched census(const Kernel& kernel, uint32_t count);
  // After run() without a golden: the results of one SM, to DeviceMemory::results().
  void fetch_results(const Job& job, uint32_t smid, Launched& out);

 private:
  struct Graph {
    CUgraphExec executable = nullptr;
    CUgraphNode kernel = nullptr;
  };

  CUdeviceptr results_of(const Job& job) const;
  LaunchArguments arguments_of(const Job& job) const;
  Error launch(const Job& job, LaunchArguments& arguments, Launched& out);
  Error relaunch(const Job& job, LaunchArguments& arguments, Launched& out);
  Error timed(Launched& out, uint64_t began_ns);
  Error enqueue(const Job& job, LaunchArguments& arguments);
  Error enqueue_kernel(const Kernel& kernel, LaunchArguments& arguments);
  Error enqueue_results(const Job& job);
  Error poison(const Job& job);
  Error send(const Job& job);
  Error fetch(const Job& job);
  Error launch_graph(const Job& job, LaunchArguments& arguments);
  Error make_graph(const Job& job, LaunchArguments& arguments, Graph& out);
  Error find_kernel_node(CUgraph graph, CUgraphNode& out);
  Launched views() const;

  const Session& session_;
  DeviceMemory& memory_;
  const bool use_graphs_;
  uint32_t ticket_ = 0;
  std::map<Family, Graph> graphs_;
};

}  // namespace sentinel::cuda
