#include "gpu_functions.h"

#include <memory>

#include "../addon/values.h"
#include "../core/gpu_results.h"
#include "../cpu/pinned_thread.h"
#include "../cuda/copy_pattern.h"
#include "../cuda/gpu_golden.h"
#include "../cuda/sfu_bounds.h"

namespace sentinel {
namespace {

constexpr uint32_t kMostRegions = 1024;

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

// sfuOperands({ family, epoch, index, lane, iteration }).
napi_value sfu_operands_call(napi_env env, napi_callback_info info) {
  Arguments arguments(env, "sfuOperands", first_argument(env, info));
  SeedArguments of;
  uint32_t lane = 0, iteration = 0;
  if (!seed_from(arguments, of) || !arguments.u32("lane", kGpuLanes - 1, lane)) return nullptr;
  if (!arguments.u32("iteration", kSfuIterations - 1, iteration)) return nullptr;
  const SfuOperands x = sfu_operands(of.seed, lane, iteration);
  return Values(env).words({x.exponent, x.positive, x.angle, x.middling});
}

// sfuViolations({ family, epoch, index, group, block, results }): results out of their documented bounds.
napi_value sfu_violations_call(napi_env env, napi_callback_info info) {
  Arguments arguments(env, "sfuViolations", first_argument(env, info));
  SeedArguments of;
  uint32_t group = 0, block = 0;
  std::vector<uint32_t> results;
  if (!seed_from(arguments, of) || !arguments.u32("group", kGpuGroups - 1, group)) return nullptr;
  if (!arguments.u32("block", kSfuIterations / kGpuBlock - 1, block)) return nullptr;
  if (!arguments.words("results", kGpuBlock * kSfuResultWords * kWarpLanes, results)) return nullptr;
  const SfuErrors errors = sfu_errors(of.seed, group, block, results.data());
  const SfuViolation& first = errors.first;
  const Values values(env);
  const napi_value found = values.object({{"lane", values.number(first.lane)},
                                          {"iteration", values.number(first.iteration)},
                                          {"word", values.number(first.function)},
                                          {"operand", values.number(first.operand)},
                                          {"result", values.number(first.result)}});
  return values.object({{"count", values.number(errors.violations)},
                        {"first", errors.violations == 0 ? values.null() : found}});
}

// copyCheck({ family, epoch, index, firstColumn, regions, flip? }): fills a buffer as the host does, changes bit 0 of
// the word `flip`, and compares.
napi_value copy_check(napi_env env, napi_callback_info info) {
  Arguments arguments(env, "copyCheck", first_argument(env, info));
  SeedArguments of;
  CopyBuffer buffer{};
  uint32_t flip = 0;
  if (!seed_from(arguments, of) || !arguments.u32("firstColumn", kCopyFromGpu, buffer.first_column)) return nullptr;
  if (!arguments.u32("regions", kMostRegions, buffer.regions)) return nullptr;
  if (buffer.regions == 0) return arguments.refuse("regions", "expected more than 0"), nullptr;
  buffer.seed = of.seed;
  std::vector<uint32_t> words(buffer.words());
  const uint64_t began = thread_cpu_ns();
  fill_copy(buffer, words.data());
  const uint64_t filled = thread_cpu_ns();
  if (arguments.has("flip")) {
    if (!arguments.u32("flip", static_cast<uint32_t>(words.size()) - 1, flip)) return nullptr;
    words[flip] ^= 1;
  }
  const uint64_t compare_began = thread_cpu_ns();
  CopyDifference found;
  for (uint32_t region = 0; region < buffer.regions && found.count == 0; region++)
    found = compare_copy(buffer, region, words.data());
  const uint64_t ended = thread_cpu_ns();
  const Values values(env);
  const auto number = [&](uint64_t value) { return values.number(static_cast<double>(value)); };
  return values.object({{"words", values.words(words)},
                        {"fillUs", number((filled - began) / 1000)},
                        {"compareUs", number((ended - compare_began) / 1000)},
                        {"count", number(found.count)},
                        {"offset", number(found.offset)},
                        {"region", number(found.region)},
                        {"warp", number(found.warp)},
                        {"lane", number(found.lane)},
                        {"column", number(found.column)},
                        {"expected", number(found.expected)},
                        {"actual", number(found.actual)}});
}

}  // namespace

void export_gpu_functions(napi_env env, napi_value exports) {
  export_function(env, exports, "gpuGolden", gpu_golden);
  export_function(env, exports, "gpuResults", gpu_results_call);
  export_function(env, exports, "sfuOperands", sfu_operands_call);
  export_function(env, exports, "sfuViolations", sfu_violations_call);
  export_function(env, exports, "copyCheck", copy_check);
}

}  // namespace sentinel
