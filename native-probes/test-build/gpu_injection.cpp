// Brings the faults of the plan to the kernels of the test build: what acts on an execution is written to their table
// before it, and what they changed is read after it.
#include <dlfcn.h>

#include "../cuda/launch_hooks.h"
#include "cuda/gpu_fault.h"
#include "fault_plan.h"

namespace sentinel::injection {
namespace {

using cuda::CUdeviceptr;
using cuda::CUmodule;
using cuda::CUresult;
using cuda::Error;
using cuda::GpuDevice;
using cuda::Job;
using cuda::Session;

constexpr const char* kFindsTable = "cuModuleGetGlobal_v2";

static_assert(kMostFaults <= kMostGpuFaults, "every fault of the plan has its place");

// Of the GPU of this process; without an address where its kernels are the release's. Copies on a stream are made from here and to here while the process waits for them.
struct Table {
  CUdeviceptr address = 0;
  std::string uuid;
  GpuFaults faults{};    // as it was written last
  uint32_t changed = 0;  // as it was read
};

Table& table() {
  static Table table;
  return table;
}

// Not among the functions that the release asks a driver for.
CUresult module_global(CUdeviceptr* address, size_t* bytes, CUmodule module, const char* name) {
  using Function = CUresult (*)(CUdeviceptr*, size_t*, CUmodule, const char*);
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  const auto function = reinterpret_cast<Function>(library ? dlsym(library, kFindsTable) : nullptr);
  return function == nullptr ? cuda::kNotFound : function(address, bytes, module, name);
}

uint64_t number_of(const std::string& uuid) {
  uint64_t out = 0;
  for (const char c : uuid) out = mix64(out ^ static_cast<unsigned char>(c));
  return out;
}

// Of 2^32; what is not impossible stays possible.
uint32_t threshold_of(double probability) {
  if (probability >= 1) return kAlways;
  const auto threshold = static_cast<uint32_t>(probability * 4294967296.0);
  return threshold == 0 ? 1 : threshold == kAlways ? kAlways - 1 : threshold;
}

uint64_t generator_of(const Acting& acting, uint64_t probe_seed) {
  const uint64_t alike = mix64(acting.spec->seed * kGolden64 ^ probe_seed);
  return acting.spec->same ? alike : mix64(alike ^ mix64(number_of(table().uuid) ^ acting.ordinal));
}

GpuFault fault_of(const Acting& acting, uint64_t probe_seed) {
  const FaultSpec& spec = *acting.spec;
  GpuFault out{};
  out.random = generator_of(acting, probe_seed);
  out.sm = spec.gpu->sm.value_or(kAnyPlace);
  out.sub_partition = spec.gpu->sub_partition.value_or(kAnyPlace);
  out.lane = spec.has_lane ? spec.lane : kAnyPlace;
  out.effect = spec.effect;
  out.mask = spec.mask;
  out.data_mask = spec.data_mask;
  out.data_value = spec.data_value;
  if (spec.rate_exec > 0) {
    out.threshold_exec = threshold_of(spec.rate_exec * acting.factor);
  } else {
    out.threshold = threshold_of(spec.rate * acting.factor);
  }
  out.same = spec.same ? 1 : 0;
  return out;
}

GpuFaults faults_for(const Job& job) {
  GpuFaults out{};
  out.iterations = job.iterations;
  out.words = tapped_words(job.family);
  for (const Acting& acting : acting_on_gpu(job.family, table().uuid))
    out.faults[out.count++] = fault_of(acting, job.seed);
  return out;
}

Error find_table(const Session& session, const GpuDevice& device, CUmodule module) {
  size_t bytes = 0;
  table().uuid = device.uuid;
  const Error error{module_global(&table().address, &bytes, module, kGpuFaultsSymbol), kFindsTable};
  if (error.status == cuda::kNotFound) table().address = 0;
  return error.status == cuda::kNotFound ? Error{} : error;
}

Error write_table(const Session& session, const Job& job) {
  const bool was_empty = table().faults.count == 0;
  table().faults = faults_for(job);
  if (was_empty && table().faults.count == 0) return {};
  // A fault that cannot act must not look like one that was not found.
  if (table().address == 0) return {cuda::kNotFound, kFindsTable};
  return SENTINEL_CUDA_CALL(session.api(), cuMemcpyHtoDAsync_v2, table().address, &table().faults, sizeof(GpuFaults),
                            session.stream());
}

Error read_table(const Session& session) {
  if (table().faults.count == 0) return {};
  const Error error =
      SENTINEL_CUDA_CALL(session.api(), cuMemcpyDtoHAsync_v2, &table().changed,
                         table().address + offsetof(GpuFaults, changed), sizeof table().changed, session.stream());
  if (error) return error;
  if (const Error unfinished = session.finish()) return unfinished;
  note_falsified(table().changed);
  return {};
}

}  // namespace
}  // namespace sentinel::injection

namespace sentinel::cuda {
const LaunchHooks kLaunchHooks = {injection::find_table, injection::write_table, injection::read_table};
}  // namespace sentinel::cuda
