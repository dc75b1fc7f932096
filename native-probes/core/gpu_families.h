// The sizes of what GPUs run. An execution has 64 logical lanes (families.h); gpu_results.h computes what they give.
#pragma once
#include "families.h"

namespace sentinel {

constexpr GpuShape kFma32GpuShape = {1, 512, 7};
constexpr GpuShape kFma64GpuShape = {1, 512, 13};
constexpr GpuShape kFma16GpuShape = {1, 512, 3};
constexpr GpuShape kBf16GpuShape = {1, 512, 4};
constexpr GpuShape kIntAesGpuShape = {1, 32, 17};
constexpr GpuShape kSfuGpuShape = {1, 256, 8};
constexpr GpuShape kRegfileGpuShape = {1, 32, 8};
constexpr GpuShape kSmemGpuShape = {1, 96, 2};
constexpr GpuShape kL2GpuShape = {1, 128, 2};
constexpr GpuShape kHbmGpuShape = {1, 96, 2};
constexpr GpuShape kCopyGpuShape = {1, 32, 2};

constexpr GpuShape kTcFp16GpuShape = {1, 448, 8};   // of a place, three products in four are of zeros in its sparse tiles
constexpr GpuShape kTcWideGpuShape = {1, 256, 8};   // bf16, tf32: wide multipliers want many operands
constexpr GpuShape kTcShortGpuShape = {1, 128, 8};  // fp8, int8; fp64 is slow on consumer parts

// All 0 of a family that GPUs do not run.
SENTINEL_CORE constexpr GpuShape gpu_shape_of(Family family) {
  switch (family) {
    case Family::kFma32: return kFma32GpuShape;
    case Family::kFma64: return kFma64GpuShape;
    case Family::kFma16: return kFma16GpuShape;
    case Family::kBf16: return kBf16GpuShape;
    case Family::kIntAes: return kIntAesGpuShape;
    case Family::kSfu: return kSfuGpuShape;
    case Family::kRegfile: return kRegfileGpuShape;
    case Family::kSmem: return kSmemGpuShape;
    case Family::kL2: return kL2GpuShape;
    case Family::kHbm: return kHbmGpuShape;
    case Family::kCopy: return kCopyGpuShape;
    case Family::kTcFp16: return kTcFp16GpuShape;
    case Family::kTcBf16:
    case Family::kTcTf32: return kTcWideGpuShape;
    case Family::kTcFp8:
    case Family::kTcInt8:
    case Family::kTcFp64: return kTcShortGpuShape;
    default: return {0, 0, 0};
  }
}

// sfu has none: there the majority of the SMs is right.
SENTINEL_CORE constexpr bool has_gpu_golden(Family family) {
  return gpu_shape_of(family).iterations != 0 && family != Family::kSfu;
}

// Of all families.
constexpr uint32_t kMostGpuResultWords = 32;

constexpr bool gpu_shapes_are_valid() {
  for (uint32_t number = 0; number <= static_cast<uint32_t>(kLastFamily); number++) {
    const GpuShape shape = gpu_shape_of(static_cast<Family>(number));
    if (shape.iterations % kGpuBlock != 0 || shape.result_words > kMostGpuResultWords) return false;
  }
  return true;
}
static_assert(gpu_shapes_are_valid(), "running digests are compared every kGpuBlock iterations");

}  // namespace sentinel
