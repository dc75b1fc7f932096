#include "launcher.h"

#include "../cpu/pinned_thread.h"
#include "launch_hooks.h"

namespace sentinel::cuda {
namespace {

// About the length of a pass: a block that found its SM taken is in nobody's way for longer.
constexpr uint32_t kHoldNs = 100'000;
constexpr size_t kMostGraphNodes = 16;

std::vector<uint32_t> all_slots(uint32_t slots) {
  std::vector<uint32_t> out(slots);
  for (uint32_t k = 0; k < slots; k++) out[k] = k;
  return out;
}

}  // namespace

Launched Launcher::run(const Job& job, const std::vector<uint32_t>& sms) {
  ticket_++;
  LaunchArguments arguments = arguments_of(job);
  Launched out = views();
  out.error = kLaunchHooks.before(session_, job);
  if (!out.error) out.error = launch(job, arguments, out);
  while (!out.error && out.launches <= kMostRelaunches && !missing_of(out.returned, sms).empty()) {
    out.error = relaunch(job, arguments, out);
  }
  if (!out.error) out.error = kLaunchHooks.after(session_);
  return out;
}

Launched Launcher::census(const Kernel& kernel, uint32_t count) {
  ticket_++;
  Job job;
  job.kernel = &kernel;
  job.has_golden = true;
  LaunchArguments arguments = arguments_of(job);
  Launched out = views();
  const std::vector<uint32_t> slots = all_slots(memory_.layout().slots);
  const uint64_t began_ns = monotonic_ns();
  out.error = enqueue(job, arguments);
  if (!out.error) out.error = timed(out, began_ns);
  while (!out.error && out.launches <= kMostRelaunches &&
         slots.size() - missing_of(out.returned, slots).size() < count) {
    out.error = relaunch(job, arguments, out);
  }
  return out;
}

void Launcher::fetch_results(const Job& job, uint32_t smid, Launched& out) {
  const uint64_t began_ns = monotonic_ns();
  out.error = SENTINEL_CUDA_CALL(session_.api(), cuMemcpyDtoHAsync_v2, memory_.results(),
                                 results_of(job) + results_bytes(smid), kResultsBytesOfSm, session_.stream());
  if (!out.error) out.error = session_.finish();
  out.host_ns += monotonic_ns() - began_ns;
}

// Behind the running digests.
CUdeviceptr Launcher::results_of(const Job& job) const {
  return memory_.arena() + running_bytes(memory_.layout().slots, job.blocks());
}

LaunchArguments Launcher::arguments_of(const Job& job) const {
  const TableLayout& layout = memory_.layout();
  LaunchArguments out{};
  out.seed = job.seed;
  out.claims = memory_.tables() + layout.claims;
  out.records = memory_.tables() + layout.records;
  out.digests = memory_.tables() + layout.digests;
  out.mismatches = memory_.tables() + layout.mismatches;
  out.golden = job.has_golden ? memory_.tables() + layout.golden : 0;
  out.running = memory_.arena();
  out.arena = memory_.arena();
  out.arena_bytes = job.arena_bytes;
  out.results = job.has_golden ? 0 : results_of(job);
  out.ticket = ticket_;
  out.slots = layout.slots;
  out.iterations = job.iterations;
  out.hold_ns = kHoldNs;
  out.share = job.share;
  return out;
}

Launched Launcher::views() const {
  const TableLayout& layout = memory_.layout();
  unsigned char* host = memory_.host();
  Launched out;
  out.records = reinterpret_cast<SmRecord*>(host + layout.records);
  out.mismatches = reinterpret_cast<MismatchTable*>(host + layout.mismatches);
  out.golden = reinterpret_cast<const uint32_t*>(host + layout.golden);
  out.returned = {reinterpret_cast<const uint32_t*>(host + layout.claims), out.records,
                  reinterpret_cast<const uint32_t*>(host + layout.digests), layout.slots, ticket_};
  return out;
}

Error Launcher::launch(const Job& job, LaunchArguments& arguments, Launched& out) {
  if (!job.has_golden) {
    if (const Error error = memory_.reserve_running()) return error;
  }
  const uint64_t began_ns = monotonic_ns();
  if (const Error error = use_graphs_ ? launch_graph(job, arguments) : enqueue(job, arguments)) return error;
  return timed(out, began_ns);
}

Error Launcher::relaunch(const Job& job, LaunchArguments& arguments, Launched& out) {
  const uint64_t began_ns = monotonic_ns();
  if (const Error error = enqueue_kernel(*job.kernel, arguments)) return error;
  if (const Error error = enqueue_results(job)) return error;
  return timed(out, began_ns);
}

Error Launcher::timed(Launched& out, uint64_t began_ns) {
  out.launches++;
  const Error error = session_.finish();
  out.host_ns += monotonic_ns() - began_ns;
  return error;
}

Error Launcher::enqueue(const Job& job, LaunchArguments& arguments) {
  if (job.has_golden && job.blocks() > 0) {
    const size_t bytes = size_t{job.blocks()} * kGpuLanes * sizeof(uint32_t);
    if (const Error error = SENTINEL_CUDA_CALL(session_.api(), cuMemcpyHtoDAsync_v2, arguments.golden, memory_.golden(),
                                               bytes, session_.stream()))
      return error;
  }
  if (const Error error = poison(job)) return error;
  if (const Error error = send(job)) return error;
  if (const Error error = enqueue_kernel(*job.kernel, arguments)) return error;
  return enqueue_results(job);
}

Error Launcher::poison(const Job& job) {
  const Driver& api = session_.api();
  const TableLayout& layout = memory_.layout();
  const CUdeviceptr records = memory_.tables() + layout.records, mismatches = memory_.tables() + layout.mismatches;
  if (const Error error =
          SENTINEL_CUDA_CALL(api, cuMemsetD8Async, records, kPoison, layout.golden - layout.records, session_.stream()))
    return error;
  if (const Error error =
          SENTINEL_CUDA_CALL(api, cuMemsetD8Async, mismatches, 0, sizeof MismatchTable::count, session_.stream()))
    return error;
  if (job.has_golden) return {};
  return SENTINEL_CUDA_CALL(api, cuMemsetD8Async, memory_.arena(), kPoison,
                            running_bytes(layout.slots, job.blocks()) + results_bytes(layout.slots), session_.stream());
}

Error Launcher::send(const Job& job) {
  if (job.copy_bytes == 0) return {};
  const Driver& api = session_.api();
  if (const Error error = SENTINEL_CUDA_CALL(api, cuMemcpyHtoDAsync_v2, memory_.arena(), memory_.sent(), job.copy_bytes,
                                             session_.stream()))
    return error;
  return SENTINEL_CUDA_CALL(api, cuMemsetD8Async, memory_.arena() + job.copy_bytes, kPoison, job.copy_bytes,
                            session_.stream());
}

Error Launcher::fetch(const Job& job) {
  if (job.copy_bytes == 0) return {};
  return SENTINEL_CUDA_CALL(session_.api(), cuMemcpyDtoHAsync_v2, memory_.returned(), memory_.arena() + job.copy_bytes,
                            job.copy_bytes, session_.stream());
}

Error Launcher::enqueue_kernel(const Kernel& kernel, LaunchArguments& arguments) {
  void* parameters[] = {&arguments};
  return SENTINEL_CUDA_CALL(session_.api(), cuLaunchKernel, kernel.function, kernel.blocks, 1, 1, kernel.threads, 1, 1,
                            kernel.shared_bytes, session_.stream(), parameters, nullptr);
}

Error Launcher::enqueue_results(const Job& job) {
  const TableLayout& layout = memory_.layout();
  if (const Error error = SENTINEL_CUDA_CALL(session_.api(), cuMemcpyDtoHAsync_v2, memory_.host(), memory_.tables(),
                                             layout.bytes, session_.stream()))
    return error;
  if (const Error error = fetch(job)) return error;
  if (job.has_golden) return {};
  return SENTINEL_CUDA_CALL(session_.api(), cuMemcpyDtoHAsync_v2, memory_.running(), memory_.arena(),
                            running_bytes(layout.slots, job.blocks()), session_.stream());
}

Error Launcher::launch_graph(const Job& job, LaunchArguments& arguments) {
  Graph& graph = graphs_[job.family];
  if (graph.executable == nullptr) {
    if (const Error error = make_graph(job, arguments, graph)) return error;
  }
  void* parameters[] = {&arguments};
  const Kernel& kernel = *job.kernel;
  const CUkernelNodeParams node{kernel.function,     kernel.blocks, 1,       1,       kernel.threads, 1, 1,
                                kernel.shared_bytes, parameters,    nullptr, nullptr, nullptr};
  if (const Error error =
          SENTINEL_CUDA_CALL(session_.api(), cuGraphExecKernelNodeSetParams_v2, graph.executable, graph.kernel, &node))
    return error;
  return SENTINEL_CUDA_CALL(session_.api(), cuGraphLaunch, graph.executable, session_.stream());
}

// The nodes of a graph that was captured stay valid as long as the graph does, which is as long as the process lives.
Error Launcher::make_graph(const Job& job, LaunchArguments& arguments, Graph& out) {
  const Driver& api = session_.api();
  if (const Error error = SENTINEL_CUDA_CALL(api, cuStreamBeginCapture_v2, session_.stream(), kCaptureThreadLocal))
    return error;
  const Error enqueued = enqueue(job, arguments);
  CUgraph graph = nullptr;
  const Error ended = SENTINEL_CUDA_CALL(api, cuStreamEndCapture, session_.stream(), &graph);
  if (enqueued || ended) return enqueued ? enqueued : ended;
  if (const Error error = find_kernel_node(graph, out.kernel)) return error;
  return SENTINEL_CUDA_CALL(api, cuGraphInstantiateWithFlags, &out.executable, graph, 0);
}

Error Launcher::find_kernel_node(CUgraph graph, CUgraphNode& out) {
  const Driver& api = session_.api();
  CUgraphNode nodes[kMostGraphNodes];
  size_t count = kMostGraphNodes;
  if (const Error error = SENTINEL_CUDA_CALL(api, cuGraphGetNodes, graph, nodes, &count)) return error;
  for (size_t k = 0; k < count; k++) {
    int type = 0;
    if (const Error error = SENTINEL_CUDA_CALL(api, cuGraphNodeGetType, nodes[k], &type)) return error;
    if (type == kGraphNodeKernel) out = nodes[k];
  }
  return {};
}

}  // namespace sentinel::cuda
