#include "gpu_functions.h"

#include <memory>

#include "../addon/values.h"
#include "../core/gpu_results.h"
#include "../cpu/pinned_thread.h"
#include "../cuda/gpu_golden.h"

namespace sentinel {
namespace {

struct SeedArguments {
  Family family;
  uint64_t seed;
};

// family is its number.
bool seed_from(Arguments& arguments, SeedArguments& out) {
  uint32_t number = 0, epoch = 0, index = 0;
  if (!arguments.is_object() || !arguments.u32("family", static_cast<uint32_t>(kLastFamily), number)) return false;
  if (!arguments.u32("epoch", UINT32_MAX, epoch) || !arguments.u32("index", UINT32_MAX, index)) return false;
  out.family = static_cast<Family>(number);
  out.seed = seed_of(out.family, epoch, index);
  return true;
}

// gpuGolden({ family, epoch, index }): null for a family without a golden.
napi_value gpu_golden(napi_env env, napi_callback_info info) {
  Arguments arguments(env, "gpuGolden", first_argument(env, info));
  SeedArguments of;
  if (!seed_from(arguments, of)) return nullptr;
  const Values values(env);
  const auto golden = std::make_unique<GpuGolden>();
  const uint64_t began = thread_cpu_ns();
  if (!compute_gpu_golden(of.family, of.seed, *golden)) return values.null();
  const double us = static_cast<double>(thread_cpu_ns() - began) / 1000;
  const GpuShape shape = gpu_shape_of(of.family);
  const uint32_t* end = golden->running + shape.iterations / kGpuBlock * kGpuLanes;
  return values.object({{"running", values.words({static_cast<const uint32_t*>(golden->running), end})},
                        {"smDigest", values.number(fold_gpu_lanes(end - kGpuLanes))},
                        {"probeVersion", values.number(shape.probe_version)},
                        {"intact", values.boolean(checksum_of(of.family, *golden) == golden->checksum)},
                        {"us", values.number(us)}});
}

// gpuResults({ family, epoch, index, lane, iteration }): the words that the lane folds; null without a golden.
napi_value gpu_results_call(napi_env env, napi_callback_info info) {
  Arguments arguments(env, "gpuResults", first_argument(env, info));
  SeedArguments of;
  uint32_t lane = 0, iteration = 0;
  if (!seed_from(arguments, of) || !arguments.u32("lane", kGpuLanes - 1, lane)) return nullptr;
  if (!arguments.u32("iteration", UINT32_MAX, iteration)) return nullptr;
  const Values values(env);
  uint32_t results[kMostGpuResultWords];
  if (!has_gpu_golden(of.family)) return values.null();
  gpu_results(of.family, of.seed, lane, iteration, results);
  return values.words({results, results + gpu_shape_of(of.family).result_words});
}

}  // namespace

void export_gpu_functions(napi_env env, napi_value exports) {
  export_function(env, exports, "gpuGolden", gpu_golden);
  export_function(env, exports, "gpuResults", gpu_results_call);
}

}  // namespace sentinel
